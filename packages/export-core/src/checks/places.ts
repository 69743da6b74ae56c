/** Where in model.yaml an entry of the contract stands. */
import type { PlaceOf } from '../contract/resolve';
import type { Descriptor } from '../descriptor/schema';
import type { Diagnostic, Place } from '../diagnostics/diagnostic';

type Path = (string | number)[];

/** The place of a contract entry's key; of the source where the entry comes from the source's own signature. */
export type SpecPlace = (signature: string, list: 'inputs' | 'outputs', name: string, key?: string) => Place;

/** `inputs[0].tensor` */
export function pathText(path: readonly (string | number)[]): string {
  return path.map((step, i) => (typeof step === 'number' ? `[${step}]` : i ? `.${step}` : step)).join('');
}

/** Places that also say their path: it holds when a comment moves the lines. */
export function withPaths(place: PlaceOf): PlaceOf {
  return (path) => ({ ...place(path), ...(path.length ? { path: pathText(path) } : {}) });
}

/** The key that names the graph. */
export function sourcePath({ source }: Pick<Descriptor, 'source'>): string[] {
  const key = (['savedModel', 'frozenGraph', 'graph', 'checkpoint'] as const).find(
    (k) => source[k] !== undefined,
  );
  return key ? ['source', key] : ['source'];
}

/**
 * Diagnostics that each have a place: what is about a node of the graph stands where the graph is named, what is about
 * a variable where the checkpoint is, what the runtime lacks where it is chosen.
 */
export function located(
  list: readonly Diagnostic[],
  { source }: Pick<Descriptor, 'source'>,
  place: PlaceOf,
): Diagnostic[] {
  const graph = place(sourcePath({ source }));
  const others: Record<string, Place> = { T003: place(['target', 'runtime']) };
  for (const code of ['S008', 'S009', 'S011'])
    if (source.checkpoint) others[code] = place(['source', 'checkpoint']);
  return list.map((d) => (d.where ? d : { ...d, where: others[d.code] ?? graph }));
}

/** Finds entries where model.yaml declares them: under `tflite`, in `signatures`, or at the top. */
export function specPlaces(
  { inputs, outputs, signatures, tflite }: Pick<Descriptor, 'inputs' | 'outputs' | 'signatures' | 'tflite'>,
  place: PlaceOf,
): SpecPlace {
  return (signature, list, name, key) => {
    const parts: [Path, typeof inputs | typeof outputs | undefined][] = [
      [['tflite', list], tflite[list]],
      [['signatures', signature, list], signatures?.[signature]?.[list]],
      [[list], list === 'inputs' ? inputs : outputs],
    ];
    for (const [path, specs] of parts) {
      if (!Array.isArray(specs)) continue;
      const at = specs.findIndex((s) => s.name === name);
      if (at < 0) continue;
      const declared = key !== undefined && key in specs[at] ? [key] : [];
      return place([...path, at, ...declared]);
    }
    return place(signatures?.[signature] ? ['signatures', signature] : ['source']);
  };
}
