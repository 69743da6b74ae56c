/**
 * Given:  y = a + b, whose shapes differ and have more dimensions than the kernel broadcasts
 * Result: y = BroadcastTo(a, s) + BroadcastTo(b, s)   with s = the known shape, or BroadcastArgs of the two
 *         y = a + BroadcastTo(b, Shape(a))            where the result has a's shape, whatever its sizes
 */
import { isStatic, sameShape, type Graph, type Node, type Shape, type Value } from '@floe/export-core';
import { kernelBroadcasts } from '../lower/kernel-types';
import { loweringRow } from '../lower/table';
import { attrsOf } from './dims';
import { applyRewrites, type Rewriter, type RewriteTable } from './rewrite';

const OPS =
  'Add AddV2 Sub Mul Div RealDiv TruncateDiv FloorDiv FloorMod Pow Maximum Minimum SquaredDifference Atan2 ' +
  'Equal NotEqual Less LessEqual Greater GreaterEqual LogicalAnd LogicalOr SelectV2 ' +
  'BitwiseXor BitwiseAnd RightShift LeftShift';

/** What was made already: two ops that broadcast the same operand share it. */
type Made = Map<string, Value>;

function broadcast(node: Node, b: Rewriter, made: Made): Value[] | undefined {
  const row = loweringRow(node.op);
  // The operator that takes operands of any shape stands last.
  const code = row?.to.at(-1);
  if (!code || node.inputs[0].dtype === 'string' || kernelBroadcasts(code, node.inputs)) return undefined;
  const once = (key: string, make: () => Value): Value => {
    const value = made.get(key) ?? make();
    made.set(key, value);
    return value;
  };
  const shapeOf = (v: Value) =>
    isStatic(v.shape)
      ? once(`[${v.shape}]`, () => b.ints(v.shape as number[]))
      : once(`shape ${v.name}`, () => b.op('Shape', [v]));
  const shared = (): Value =>
    node.inputs
      .map(shapeOf)
      .reduce((x, y) => (x === y ? x : once(`${x.name} ${y.name}`, () => b.op('BroadcastArgs', [x, y]))));
  const whole = node.output().shape;
  const largest = node.inputs.find((v) =>
    isStatic(whole)
      ? sameShape(v.shape, whole)
      : node.inputs.every((other) => other === v || fitsInto(other.shape, v.shape)),
  );
  const shape = largest ? largest.shape : whole;
  const size = isStatic(shape)
    ? once(`[${shape}]`, () => b.ints(shape))
    : largest
      ? shapeOf(largest)
      : shared();
  const spread = (v: Value): Value => {
    if (v === largest || (isStatic(shape) && sameShape(v.shape, shape))) return v;
    const wide = once(`${v.name} to ${size.name}`, () => b.op('BroadcastTo', [v, size]));
    wide.shape = shape;
    return wide;
  };
  const result = b.op(node.op, node.inputs.map(spread), attrsOf(node));
  result.shape = shape;
  return [result];
}

/** Whether an operand of one shape never makes one of the other larger. */
function fitsInto(shape: Shape | undefined, larger: Shape | undefined): boolean {
  if (!shape || !larger || shape.length > larger.length) return false;
  const rest = larger.slice(larger.length - shape.length);
  return shape.every((d, i) => d === 1 || (d !== null && d === rest[i]));
}

export function explicitBroadcast(graph: Graph): void {
  const made: Made = new Map();
  const table: RewriteTable = Object.fromEntries(
    OPS.split(' ').map((op) => [op, (_: Graph, node: Node, b: Rewriter) => broadcast(node, b, made)]),
  );
  applyRewrites(graph, table);
}
