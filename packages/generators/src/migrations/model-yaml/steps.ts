/** What changed between versions of model.yaml's format: one row a version. */
import type { Document } from 'yaml';

export interface Step {
  /** The version that it starts from; it ends at the next one. */
  from: number;
  /** One sentence for people: what is other in the next version. */
  change: string;
  /** Makes the file one of the next version, but for its number. */
  apply(document: Document): void;
}

/** The version that this Floe reads. */
export const CURRENT = 1;

/** In order, from the oldest version that can be brought up to date; none is left out in between. */
export const STEPS: readonly Step[] = [
  { from: 0, change: 'files say their version', apply: () => undefined },
];
