/**
 * Given:  y = a + b, whose shapes differ and have more dimensions than the kernel broadcasts
 * Result: y = BroadcastTo(a, s) + BroadcastTo(b, s)   with s = the known shape, or BroadcastArgs of the two
 */
import { isStatic, type Graph, type Node, type Shape, type Value } from '@floe/export-core';
import { kernelBroadcasts } from '../lower/kernel-types';
import { loweringRow } from '../lower/table';
import { applyRewrites, type Rewriter, type RewriteTable } from './rewrite';

const OPS =
  'Add AddV2 Sub Mul Div RealDiv TruncateDiv FloorDiv FloorMod Pow Maximum Minimum SquaredDifference Atan2 ' +
  'Equal NotEqual Less LessEqual Greater GreaterEqual LogicalAnd LogicalOr SelectV2 ' +
  'BitwiseXor BitwiseAnd RightShift LeftShift';

function broadcast(_: Graph, node: Node, b: Rewriter): Value[] | undefined {
  const row = loweringRow(node.op);
  // The operator that takes operands of any shape stands last.
  const code = row?.to.at(-1);
  if (!code || node.inputs[0].dtype === 'string' || kernelBroadcasts(code, node.inputs)) return undefined;
  const { shape } = node.output();
  const size = isStatic(shape) ? b.ints(shape) : sharedShape(node.inputs, b);
  const same = (v: Value) => isStatic(shape) && equal(v.shape, shape);
  const inputs = node.inputs.map((v) => (same(v) ? v : spread(v, size, shape, b)));
  const result = b.op(node.op, inputs, Object.fromEntries(node.attrs));
  result.shape = shape;
  return [result];
}

function spread(value: Value, size: Value, shape: Shape | undefined, b: Rewriter): Value {
  const wide = b.op('BroadcastTo', [value, size]);
  wide.shape = shape;
  return wide;
}

function sharedShape(values: readonly Value[], b: Rewriter): Value {
  const shapes = values.map((v) => (isStatic(v.shape) ? b.ints(v.shape) : b.op('Shape', [v])));
  return shapes.reduce((all, s) => b.op('BroadcastArgs', [all, s]));
}

function equal(a: Shape | undefined, b: Shape): boolean {
  return String(a) === String(b) && a?.length === b?.length;
}

const TABLE: RewriteTable = Object.fromEntries(OPS.split(' ').map((op) => [op, broadcast]));

export function explicitBroadcast(graph: Graph): void {
  applyRewrites(graph, TABLE);
}
