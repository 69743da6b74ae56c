/** Brings the text of a model.yaml to a later version of the format. */
import { isMap, isScalar, parseDocument, type Document } from 'yaml';
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
  const before = JSON.stringify(document);
  for (const { apply } of way) apply(document);
  const onlyNumber = JSON.stringify(document) === before;
  return {
    outcome: 'changed',
    text: (onlyNumber && withVersion(text, document, current)) || rewritten(document, current),
    changes: way.map(({ change }) => change),
  };
}

/** The text with another number, or with one before the first key: every other character stays. */
function withVersion(text: string, { contents }: Document, version: number): string | undefined {
  if (!isMap(contents) || contents.flow || !contents.range) return undefined;
  const value = contents.get('version', true);
  if (value === undefined) {
    const [start] = contents.range;
    const newline = text.includes('\r\n') ? '\r\n' : '\n';
    return `${text.slice(0, start)}version: ${version}${newline}${text.slice(start)}`;
  }
  if (!isScalar(value) || !value.range) return undefined;
  const [start, end] = value.range;
  return `${text.slice(0, start)}${version}${text.slice(end)}`;
}

/** The document written anew: comments and order stay, spaces may not. */
function rewritten(document: Document, version: number): string {
  if (document.has('version')) document.set('version', version);
  else if (isMap(document.contents))
    document.contents.items.unshift(document.createPair('version', version) as never);
  return document.toString({ lineWidth: 0, flowCollectionPadding: true });
}
