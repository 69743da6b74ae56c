/**
 * Simulated quantisation to other than 8 bits, which no integer type of the runtime stands for: written out in float.
 * That of 8 bits stays for lowering, which keeps its range.
 */
import { Tensor, type Node, type Value } from '@floe/export-core';
import type { Rewriter, RewriteTable } from '../rewrite';

const f32 = Math.fround;
const BITS = 8;

/** floor((clamp(x) − min) / scale − zero + ½) · scale, with zero moved to the nearest step. */
function stepped(b: Rewriter, x: Value, min: readonly number[], max: readonly number[], node: Node): Value {
  const least = node.bool('narrow_range') ? 1 : 0;
  const most = 2 ** node.int('num_bits') - 1;
  const scale = min.map((low, c) => f32(f32(max[c] - low) / (most - least)) || 1);
  const zero = min.map((low, c) => Math.max(least, Math.min(most, Math.round(least - low / scale[c]))));
  const constant = (of: (c: number) => number): Value => {
    const values = min.map((_, c) => (min[c] === 0 && max[c] === 0 ? 0 : of(c)));
    return b.const(Tensor.fromNumbers('float32', min.length > 1 ? [min.length] : [], values));
  };
  const low = constant((c) => (least - zero[c]) * scale[c]);
  const high = constant((c) => (most - zero[c]) * scale[c]);
  const clamped = b.op('Minimum', [b.op('Maximum', [x, low]), high]);
  const steps = b.op('Mul', [b.op('Sub', [clamped, low]), constant((c) => 1 / scale[c])]);
  const moved = b.op('Sub', [steps, constant((c) => zero[c] - least - 0.5)]);
  return b.op('Mul', [b.op('Floor', [moved]), constant((c) => scale[c])]);
}

const numbers = (value: Value | undefined): number[] | undefined => value?.node.constant?.toNumbers();

function byOperands(_: unknown, node: Node, b: Rewriter): Value[] | undefined {
  const [x, low, high] = node.inputs;
  const [min, max] = [numbers(low), numbers(high)];
  return node.int('num_bits') === BITS || !min || !max ? undefined : [stepped(b, x, min, max, node)];
}

export const table: RewriteTable = {
  FakeQuantWithMinMaxVars: byOperands,
  FakeQuantWithMinMaxVarsPerChannel: byOperands,
  FakeQuantWithMinMaxArgs: (_, node, b) =>
    node.int('num_bits') === BITS
      ? undefined
      : [stepped(b, node.inputs[0], [f32(node.float('min'))], [f32(node.float('max'))], node)],
};
