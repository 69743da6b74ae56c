/** Stage keys: short names for everything a stage reads. */
import { createHash } from 'node:crypto';
import { canonicalJson } from './canonical';

/** Changing what a key covers changes this, so that no key of an older Floe can mean the same. */
const KEY_FORMAT = 1;

/** 22 characters of base64url hold 132 bits of the digest. */
const KEY_LENGTH = 22;

export interface KeyParts {
  stage: string;
  variant?: string;
  /** What the stage reads of model.yaml (`Stage.slice`). */
  slice: unknown;
  /** Source files by their role, never by their path: a clone elsewhere must get the same key. */
  sources: readonly { role: string; sha256: string }[];
  /** Of the code that runs (`fingerprint`). */
  fingerprint: string;
  /** Name and version of the engine, where the stage runs models. */
  engine?: string;
}

/** The key of a stage, without its upstream artefacts: those enter the hash of the scheduler by themselves. */
export function stageKey(parts: KeyParts): string {
  const sources = parts.sources
    .map(({ role, sha256 }) => [role, sha256])
    .sort(([a, x], [b, y]) => (a === b ? (x < y ? -1 : 1) : a < b ? -1 : 1));
  return short({ ...parts, sources, format: KEY_FORMAT });
}

/**
 * The key that a manifest records: the stage's key and the upstream artefacts it read. With it a manifest says by
 * itself, without the scheduler, whether its outputs are what would be made now.
 */
export function artefactKey(key: string, upstream: readonly { path: string; sha256: string }[]): string {
  const files = upstream.map(({ path, sha256 }) => [path, sha256]).sort(([a], [b]) => (a < b ? -1 : 1));
  return short({ key, upstream: files, format: KEY_FORMAT });
}

function short(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('base64url').slice(0, KEY_LENGTH);
}
