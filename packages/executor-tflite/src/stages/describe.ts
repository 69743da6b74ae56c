/** Facts of a model for summaries, manifests and reports. */
import { formatSize, sizeOf, type Piece } from '@floe/export-core';
import type { TfliteModel } from '../tflite/model';

/** How often each operator occurs, sorted by name; custom ones as `CUSTOM:name`. */
export function operatorCounts(model: TfliteModel): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const op of model.subgraphs.flatMap((g) => g.ops)) {
    const name = op.customCode === undefined ? op.code : `CUSTOM:${op.customCode}`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return Object.fromEntries(Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** `870 kB`. */
export function sizeText(pieces: readonly Piece[]): string {
  return formatSize(sizeOf(pieces));
}
