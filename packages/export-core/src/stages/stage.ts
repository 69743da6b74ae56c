/**
 * What a stage is to those who run it: a function from a model's descriptor and the files it names to artefacts and
 * diagnostics. It knows nothing of Nx, of keys or of caches, and writes nothing itself: run-stage.ts does.
 */
import type { Descriptor } from '../descriptor/schema';
import type { Diagnostic, Place } from '../diagnostics/diagnostic';
import type { Piece } from '../keys/atomic';
import type { StageName } from './table';

export interface StageContext {
  /** The model project's folder, absolute; paths of the descriptor are relative to it. */
  root: string;
  /** Where artefacts of earlier stages lie, absolute. */
  dist: string;
  descriptor: Descriptor;
  /** Where in model.yaml a key stands. */
  place(path: (string | number)[]): Place;
  /** For stages that are per variant. */
  variant?: string;
  /** What is worth knowing of the work beside its result, for people. */
  log(line: string): void;
  /** How far long work is, as often as there is something to say: it is shown now and then, and not kept. */
  progress(line: string): void;
  /**
   * What the next check would say of artefacts that this stage cannot write, because something is wrong: a user mends
   * everything at once. Undefined where there is no such check.
   */
  examine?(artefacts: StageResult['artefacts']): Promise<Diagnostic[]>;
}

export interface StageResult {
  diagnostics: Diagnostic[];
  /** Contents by path below `dist`, as the stage's row in the table promises; none after errors but reports. */
  artefacts: Record<string, string | Uint8Array | readonly Piece[]>;
  /** Called when the artefacts are written: their pieces may be read from open files until then. */
  release?(): void;
  /** For the manifest: where the artefacts come from and what is in them. */
  provenance?: Record<string, unknown>;
  /** One line for people: what was made and how large. */
  summary?: string;
}

/**
 * Throws FloeError for a user's mistake that ends the work at once; everything else a user can cause is in
 * `diagnostics`.
 */
export type StageFunction = (context: StageContext) => Promise<StageResult>;

/** The stages a package implements, loaded when they are first run. */
export type StageFunctions = Partial<Record<StageName, StageFunction>>;
