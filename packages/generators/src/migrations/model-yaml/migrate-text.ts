/** Brings the text of a model.yaml to a later version of the format. */
import { isMap, parseDocument } from 'yaml';
import { CURRENT, STEPS, type Step } from './steps';

export type Migrated =
  /** `changes` says what was changed, for people; comments and order are kept. */
  | { outcome: 'changed'; text: string; changes: string[] }
  | { outcome: 'current' }
  /** Not YAML, or of a version that is not known: left as it is. */
  | { outcome: 'refused'; reason: string };

/** @param steps the table, and the version it leads to; tests give their own */
export function migrateText(
  text: string,
  { current, steps }: { current: number; steps: readonly Step[] } = { current: CURRENT, steps: STEPS },
): Migrated {
  const document = parseDocument(text, { schema: 'core' });
  if (document.errors.length > 0)
    return { outcome: 'refused', reason: document.errors[0].message.split('\n', 1)[0] };
  if (!isMap(document.contents)) return { outcome: 'refused', reason: 'it is not a map' };
  // Before there was a number there was only one version.
  const found: unknown = document.has('version') ? document.get('version') : 0;
  if (found === current) return { outcome: 'current' };
  const way = steps.filter(({ from }) => from >= (found as number) && from < current);
  if (typeof found !== 'number' || way[0]?.from !== found) {
    return {
      outcome: 'refused',
      reason: `its version is ${JSON.stringify(found)}; this Floe reads ${current}`,
    };
  }
  for (const { apply } of way) apply(document);
  if (document.has('version')) document.set('version', current);
  else document.contents.items.unshift(document.createPair('version', current) as never);
  return {
    outcome: 'changed',
    text: document.toString({ lineWidth: 0, flowCollectionPadding: true }),
    changes: way.map(({ change }) => change),
  };
}
