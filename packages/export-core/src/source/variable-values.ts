/** Where the values of a graph's variables are: a checkpoint, under the names that its kind of source uses. */
import { basename } from 'node:path';
import type { Checkpoint } from '../format/checkpoint';
import type { VariableValues } from '../passes/freeze-context';
import { matchObjectGraphs, OBJECT_GRAPH_KEY, readObjectGraph, type ObjectGraph } from './object-graph';

/** Entries of a checkpoint that are no variables of the model. */
function isInternal(name: string): boolean {
  return name === OBJECT_GRAPH_KEY || name === 'save_counter/.ATTRIBUTES/VARIABLE_VALUE';
}

/** The values of a checkpoint by their own names. */
export function checkpointValues(checkpoint: Checkpoint, name = basename(checkpoint.prefix)): VariableValues {
  const objects = lazy(() => readObjectGraph(checkpoint));
  return {
    name,
    names: () => [...checkpoint.entries.keys()].filter((entry) => !isInternal(entry)),
    info: (entry) => checkpoint.entries.get(entry),
    read: (entry) => checkpoint.read(entry),
    entryOf: (variable, saved) => {
      if (saved !== undefined && checkpoint.entries.has(saved)) return saved;
      if (saved === undefined && checkpoint.entries.has(variable)) return variable;
      // An object-based checkpoint under a graph that names its variables: each object tells its name.
      const keys = objects()?.byName.get(saved ?? variable);
      return keys?.length === 1 ? keys[0] : (saved ?? variable);
    },
  };
}

/**
 * The values of another checkpoint for the structure of a SavedModel: what the SavedModel's own bundle says of a key
 * leads to the key of the same object in the checkpoint.
 */
export function transferredValues(own: Checkpoint | undefined, checkpoint: Checkpoint): VariableValues {
  const values = checkpointValues(checkpoint);
  const ownObjects = own && readObjectGraph(own);
  const otherObjects = readObjectGraph(checkpoint);
  // Checkpoints by name (TF1) need no walk: the names of the saver are those of the file.
  if (!own || !ownObjects || !otherObjects) return values;
  const fits = (ownKey: string, otherKey: string): boolean => {
    const a = own.entries.get(ownKey);
    const b = checkpoint.entries.get(otherKey);
    return a !== undefined && a.dtype === b?.dtype && String(a.shape) === String(b.shape);
  };
  const matched = matchObjectGraphs(ownObjects, otherObjects, fits);
  const nameOf = namesOf(ownObjects);
  return {
    ...values,
    entryOf: (variable, saved) => {
      const key = saved ?? ownObjects.byName.get(variable)?.[0];
      const partner = key === undefined ? undefined : matched.get(key);
      if (partner !== undefined && checkpoint.entries.has(partner)) return partner;
      // The structures differ here; a name that the checkpoint has but once still says which variable it is.
      const name = key === undefined ? variable : nameOf.get(key);
      const ownKeys = (name !== undefined && ownObjects.byName.get(name)) || [];
      const otherKeys = (name !== undefined && otherObjects.byName.get(name)) || [];
      if (otherKeys.length === 1 && fits(key ?? ownKeys[0], otherKeys[0]) && sameValues(own, ownKeys))
        return otherKeys[0];
      return undefined;
    },
  };
}

/** Whether several keys are one variable: Keras 3 exports each variable twice. */
function sameValues(checkpoint: Checkpoint, keys: readonly string[]): boolean {
  const [first, ...others] = keys;
  if (others.length === 0) return true;
  const bytesOf = (key: string): string | Uint8Array => {
    const tensor = checkpoint.read(key);
    return tensor.dtype === 'string' ? JSON.stringify(tensor.strings) : tensor.bytes;
  };
  const wanted = bytesOf(first);
  return others.every((key) => {
    const bytes = bytesOf(key);
    return typeof bytes === 'string' || typeof wanted === 'string'
      ? bytes === wanted
      : Buffer.compare(bytes, wanted) === 0;
  });
}

/** Key → the variable's name, for the keys whose variable has one. */
function namesOf({ byName }: ObjectGraph): Map<string, string> {
  return new Map([...byName].flatMap(([name, keys]) => keys.map((key): [string, string] => [key, name])));
}

function lazy<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
