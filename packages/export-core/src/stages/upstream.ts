/** The artefacts of other stages that a stage reads. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Descriptor } from '../descriptor/schema';
import { FloeError } from '../diagnostics/diagnostic';
import { digestOf } from '../keys/digest';
import { readManifest, type Manifest } from '../keys/manifest';
import type { Memo } from '../keys/memo';
import { changed } from './source-errors';
import { outputsOf, stageOf } from './table';
import type { TargetRef } from './target-key';
import { targetName } from './targets';

/**
 * Files that this process has written: their digests need no second reading as long as nobody has touched them.
 * The memo would not remember them, they are too young for it; but a write by someone else would have to hit the
 * same inode in the same tick of the clock.
 */
const ownFiles = new Map<string, { stamp: string; sha256: string }>();

function stampOf(file: string): string {
  const { size, mtimeNs, ctimeNs, dev, ino } = statSync(file, { bigint: true });
  return [size, mtimeNs, ctimeNs, dev, ino].join(' ');
}

export interface UpstreamFile {
  /** Below `dist`, as keys name it. */
  path: string;
  file: string;
  sha256: string;
}

/** Remembers the digest of a file that this process has just written. */
export function rememberOwn(file: string, sha256: string): void {
  ownFiles.set(file, { stamp: stampOf(file), sha256 });
}

/**
 * Begins to watch artefacts that a stage reads; what it gives is to be called when they were read.
 *
 * @throws FloeError K002 then, where one is not any more what it was
 */
export function watchUpstream(upstream: readonly UpstreamFile[], reader: string): () => void {
  const stamps = upstream.map(({ file }) => stampOf(file));
  return () =>
    upstream.forEach(({ file, path, sha256 }, i) => {
      if (stampOf(file) !== stamps[i] && digestOf(file).sha256 !== sha256)
        throw changed(`${path} was changed while ${reader} read it`);
    });
}

/** The artefacts that a stage reads, as their manifests say they are. */
export function readUpstream(
  { stage, variant }: TargetRef,
  descriptor: Descriptor,
  dist: string,
  memo?: Memo,
): UpstreamFile[] {
  return stage.upstream(descriptor, variant).flatMap(({ stage: name, files }) => {
    const from = stageOf(name);
    const itsVariant = from.perVariant ? variant : undefined;
    const producer = targetName(name, itsVariant);
    const manifestPath = from.manifest(itsVariant);
    const manifest = readManifest(join(dist, manifestPath));
    if (!manifest) throw artefactError(`${manifestPath} is missing or unreadable`, producer);
    const outputs = outputsByPath(manifestPath, manifest);
    const isListed = (path: string): boolean => Object.hasOwn(outputs, path);
    const inForm = new Set(outputsOf(from, itsVariant, isListed));
    const wanted = files.filter((path) => inForm.has(path));
    return wanted.map((path) => {
      const file = join(dist, path);
      const entry = isListed(path) ? outputs[path] : undefined;
      if (!entry) throw artefactError(`${manifestPath} does not list ${path}`, producer);
      let sha256: string;
      try {
        const own = ownFiles.get(file);
        sha256 = own && own.stamp === stampOf(file) ? own.sha256 : digestOf(file, memo).sha256;
      } catch {
        throw artefactError(`${path} is missing or unreadable`, producer);
      }
      if (sha256 !== entry.sha256) {
        throw artefactError(`${path} is not what ${producer} wrote: its sha256 differs`, producer);
      }
      return { path, file, sha256 };
    });
  });
}

/** A manifest's outputs by their path below `dist`; all paths have forward slashes. */
export function outputsByPath(manifestPath: string, { outputs }: Manifest): Manifest['outputs'] {
  const folder = manifestPath.slice(0, manifestPath.lastIndexOf('/') + 1);
  return Object.fromEntries(Object.entries(outputs).map(([name, entry]) => [folder + name, entry]));
}

function artefactError(message: string, producer: string): FloeError {
  const hint = `make it again: run \`${producer}\``;
  return new FloeError({ code: 'K003', severity: 'error', message, hint });
}
