/** Strings: shapes, and the values of what labels and file names are made with. Strings are bytes. */
import type { Node } from '../graph/graph';
import { dtypeKind } from '../tensor/dtype';
import { elementCount, type Dim, type Shape } from '../tensor/shape';
import { Tensor } from '../tensor/tensor';
import { unchanged } from './elementwise-shapes';
import { broadcastIndices, broadcastOf } from './kernels/broadcast';
import { isInteger, noKernel } from './kernels/elementwise';
import { inferAxis, knownInts, mergeKnown, out, refuse, unknownDims, upTo } from './kernels/shape-rules';
import type { InferContext, OpRow, OpTable } from './op-row';

type Bytes = Uint8Array;

const same: OpRow = { infer: unchanged };
const scalar: OpRow = { infer: () => out([]) };

const mapStrings = (f: (s: Bytes, node: Node) => Bytes): OpRow => ({
  infer: unchanged,
  evaluate: ([x], node) => [
    Tensor.fromStrings(
      x.shape,
      x.strings.map((s) => f(s, node)),
    ),
  ],
});

/** Changes the case of ASCII letters, or with the encoding utf-8 of all. */
function changeCase(bytes: Bytes, node: Node, upper: boolean): Bytes {
  const ascii = node.string('encoding') !== 'utf-8';
  const text = Buffer.from(bytes).toString(ascii ? 'latin1' : 'utf8');
  const change = (s: string) => (upper ? s.toUpperCase() : s.toLowerCase());
  return ascii
    ? Buffer.from(text.replace(/[a-zA-Z]+/g, change), 'latin1')
    : Buffer.from(change(text), 'utf8');
}

const isSpace = (b: number) => b === 0x20 || (b >= 0x09 && b <= 0x0d);

function strip(bytes: Bytes): Bytes {
  let [from, to] = [0, bytes.length];
  while (from < to && isSpace(bytes[from])) from++;
  while (to > from && isSpace(bytes[to - 1])) to--;
  return bytes.slice(from, to);
}

/** Where the characters of a UTF-8 string start, and its end. */
function characterStarts(bytes: Bytes): number[] {
  const starts: number[] = [];
  bytes.forEach((b, i) => {
    if ((b & 0xc0) !== 0x80) starts.push(i);
  });
  return [...starts, bytes.length];
}

function stringLength(bytes: Bytes, node: Node): number {
  return node.string('unit') === 'UTF8_CHAR' ? characterStarts(bytes).length - 1 : bytes.length;
}

/** Part of a string; a negative position counts from the end, the length is cut to what is there. */
function substring(bytes: Bytes, position: number, length: number, node: Node): Bytes {
  const starts = node.string('unit') === 'UTF8_CHAR' ? characterStarts(bytes) : undefined;
  const count = starts ? starts.length - 1 : bytes.length;
  const from = position < 0 ? position + count : position;
  if (from < 0 || from > count) refuse(`position ${position} is outside of a string of ${count}`);
  const to = Math.min(count, from + Math.max(0, length));
  return starts ? bytes.slice(starts[from], starts[to]) : bytes.slice(from, to);
}

/** An integer or bool as text; floats depend on C's printf and stay ops. */
function asString(x: Tensor, node: Node): Tensor {
  const bool = dtypeKind(x.dtype) === 'bool';
  if (!bool && !isInteger(x.dtype)) throw noKernel(x.dtype);
  const width = bool ? 0 : Math.max(0, node.int('width'));
  const fill = node.string('fill');
  const texts = Array.from({ length: x.size }, (_, i) => {
    const text = bool ? (x.data[i] ? 'true' : 'false') : String(x.data[i]);
    return Buffer.from(pad(text, width, fill));
  });
  return Tensor.fromStrings(x.shape, texts);
}

/** C's field width with the flags "0", "-", "+" and " ". */
function pad(text: string, width: number, fill: string): string {
  const signed = text.startsWith('-') || (fill !== '+' && fill !== ' ') ? text : fill + text;
  if (fill === '-') return signed.padEnd(width);
  if (fill !== '0') return signed.padStart(width);
  return text.startsWith('-') ? `-${text.slice(1).padStart(width - 1, '0')}` : text.padStart(width, '0');
}

/** Scalars among the operands repeat; the others have one shape. */
function joinedShape(c: InferContext): Shape {
  const shapes = upTo(c.count).map((i) => c.shape(i));
  // An operand of unknown rank could be the one that is no scalar.
  if (shapes.includes(null))
    return shapes.find((s) => s !== null && s.length > 0) ?? (shapes.length === 1 ? shapes[0] : null);
  return (
    shapes.filter((s) => s?.length !== 0).reduce<Shape>((a, s) => (a ? mergeKnown(c, a, s) : s), null) ?? []
  );
}

/** Shape of a reduction of strings along the axes of input 1. */
function reducedShape(c: InferContext): Shape {
  const shape = c.shape(0);
  const axes = knownInts(c, 1);
  const keep = c.node.bool('keep_dims');
  if (!shape || !axes) return shape && keep ? unknownDims(shape.length) : null;
  const gone = new Set(axes.map((a) => inferAxis(c, a, shape.length)));
  return keep ? shape.map((d, i) => (gone.has(i) ? 1 : d)) : shape.filter((_, i) => !gone.has(i));
}

/** A sparse tensor of a rank with an unknown number of values. */
const sparse = (rank: number) => [
  { shape: [null, rank] as Dim[] },
  { shape: [null] as Dim[] },
  { shape: [rank] as Dim[] },
];

export const table: OpTable = {
  StringJoin: {
    infer: (c) => out(joinedShape(c)),
    evaluate: (inputs, node) => {
      const separator = Buffer.from(node.string('separator'));
      if (
        inputs.some(
          (t) => t.shape.length && t.shape.join() !== inputs.find((u) => u.shape.length)?.shape.join(),
        )
      ) {
        refuse('strings to join differ in shape');
      }
      const shape = broadcastOf(...inputs.map((t) => t.shape));
      const indices = inputs.map((t) => broadcastIndices(t.shape, shape));
      const texts = Array.from({ length: elementCount(shape) }, (_, i) =>
        Buffer.concat(inputs.flatMap((t, k) => [...(k ? [separator] : []), t.strings[indices[k][i]]])),
      );
      return [Tensor.fromStrings(shape, texts)];
    },
  },
  StringLower: mapStrings((s, node) => changeCase(s, node, false)),
  StringUpper: mapStrings((s, node) => changeCase(s, node, true)),
  StringStrip: mapStrings(strip),
  StringLength: {
    infer: unchanged,
    evaluate: ([x], node) => [
      Tensor.fromArray(
        'int32',
        x.shape,
        Int32Array.from(x.strings, (s) => stringLength(s, node)),
      ),
    ],
  },
  AsString: {
    infer: unchanged,
    evaluate: ([x], node) => [asString(x, node)],
  },
  Substr: {
    infer: (c) => {
      const [text, position] = [c.shape(0), mergeKnown(c, c.shape(1), c.shape(2))];
      if (!text || !position) return out(null);
      const rank = Math.max(text.length, position.length);
      const at = (s: readonly Dim[], d: number) => (d < rank - s.length ? 1 : s[d - (rank - s.length)]);
      return out(
        upTo(rank).map((d) => {
          const [a, b] = [at(text, d), at(position, d)];
          if (a !== null && b !== null && a !== 1 && b !== 1 && a !== b)
            c.fail(`[${text}] and [${position}]`);
          return a === 1 ? b : b === 1 || a !== null ? a : b;
        }),
      );
    },
    evaluate: ([x, position, length], node) => {
      const shape = broadcastOf(x.shape, position.shape);
      const [i, j] = [x, position].map((t) => broadcastIndices(t.shape, shape));
      return [
        Tensor.fromStrings(
          shape,
          Array.from(i, (at, k) => substring(x.strings[at], position.at(j[k]), length.at(j[k]), node)),
        ),
      ];
    },
  },

  StringToNumber: same,
  StringToHashBucket: same,
  StringToHashBucketFast: same,
  StringToHashBucketStrong: same,
  RegexFullMatch: same,
  StaticRegexFullMatch: same,
  RegexReplace: same,
  StaticRegexReplace: same,
  EncodeBase64: same,
  DecodeBase64: same,
  DecodeCompressed: same,
  UnicodeScript: same,
  UnicodeTranscode: same,
  UnicodeEncode: {
    infer: (c) => {
      const splits = c.shape(1)?.[0] ?? null;
      return out([splits === null ? null : splits - 1]);
    },
  },
  ReduceJoin: { infer: (c) => out(reducedShape(c)) },
  StringSplit: { infer: () => sparse(2) },
  StringSplitV2: { infer: () => sparse(2) },
  StringFormat: scalar,
  SerializeTensor: scalar,
};
