/** Adding to a model.yaml without touching the rest of its text: comments, order and layout are the user's. */
import type { Pair, YAMLMap } from 'yaml';

/**
 * Inserts an entry at the end of `variants`.
 *
 * @param comment lines, with their `#`, above the entry; above `variants` where that is written in braces
 * @returns undefined where `variants` is written in a way that only its author can add to (an alias)
 */
export function insertVariant(
  text: string,
  name: string,
  settings: string,
  comment: readonly string[] = [],
): string | undefined {
  const { isMap, isScalar, parseDocument } = require('yaml') as typeof import('yaml');
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  const { contents } = parseDocument(text);
  if (!isMap(contents)) return undefined;
  const pair = (contents.items as Pair[]).find(({ key }) => isScalar(key) && key.value === 'variants');
  const entry = `${name}: ${settings}`;
  const lines = (indent: string): string => [...comment, entry].map((line) => indent + line).join(newline);

  if (!pair) {
    // Without any, a model has the variant `float`; with another one it would have it no more.
    const end = text === '' || text.endsWith('\n') ? '' : newline;
    return `${text}${end}variants:${newline}  float: {}${newline}${lines('  ')}${newline}`;
  }
  const { key, value } = pair as { key: Ranged; value: Ranged | null };
  if (value === null || (isScalar(value) && value.value === null)) {
    const at = endOfLine(text, key.range[1]);
    return `${text.slice(0, at)}${newline}  float: {}${newline}${lines('  ')}${text.slice(at)}`;
  }
  if (!isMap(value)) return undefined;
  const items = (value as YAMLMap).items as unknown as { key: Ranged; value: Ranged | null }[];
  if (value.flow) {
    const above = startOfLine(text, key.range[0]);
    const note = comment.map((line) => line + newline).join('');
    const last = items.at(-1);
    const at = last ? (last.value ?? last.key).range[1] : (value as Ranged).range[0] + 1;
    const inserted = last ? `, ${entry}` : ` ${entry} `;
    return (
      text.slice(0, above) +
      note +
      text.slice(above, at) +
      inserted +
      text.slice(at).replace(/^ +(?=})/, last ? ' ' : '')
    );
  }
  const first = items[0].key.range[0];
  const indent = text.slice(startOfLine(text, first), first);
  const last = items.at(-1)!;
  // A block's range ends behind the empty lines below it.
  const end = (last.value ?? last.key).range[1];
  const at = endOfLine(text, text.slice(0, end).trimEnd().length);
  return `${text.slice(0, at)}${newline}${lines(indent)}${text.slice(at)}`;
}

/** A node with its place: start, end of the value, end with the comment behind it. */
interface Ranged {
  range: [number, number, number];
}

function startOfLine(text: string, at: number): number {
  return text.lastIndexOf('\n', at - 1) + 1;
}

/** Before the line's end, `\r` included. */
function endOfLine(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  if (end < 0) return text.length;
  return text[end - 1] === '\r' ? end - 1 : end;
}
