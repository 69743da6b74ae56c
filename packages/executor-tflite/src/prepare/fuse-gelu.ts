/**
 * Given:  y = ½ x (1 + erf(x/√2)), ½ x erfc(−x/√2) or ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))), in any spelling
 * Result: y = Gelu(x), an op that the lowering table knows and TensorFlow does not
 *
 * Before erf, which has no kernel, is written out.
 */
import { attr, type Graph, type Node, type Value } from '@floe/export-core';
import type { PrepareContext } from './prepare';
import { applyRewrites, type Rewriter } from './rewrite';

/** A product of numbers and values: `coefficient` · Π `factors`. */
interface Product {
  coefficient: number;
  factors: Value[];
}

function scalar(value: Value): number | undefined {
  const tensor = value.node.constant;
  return tensor?.dtype === 'float32' && tensor.size === 1 ? tensor.at(0) : undefined;
}

const MAX_DEPTH = 8;

/** A value as a product, seen through Mul, Neg, Square, Pow and division by a number. */
function productOf(value: Value, depth = 0): Product {
  const { op, inputs } = value.node;
  const n = scalar(value);
  if (n !== undefined) return { coefficient: n, factors: [] };
  const part = (i: number) => productOf(inputs[i], depth + 1);
  if (depth < MAX_DEPTH) {
    if (op === 'Mul') return times(part(0), part(1));
    if (op === 'Neg') return times(part(0), { coefficient: -1, factors: [] });
    if (op === 'Square') return times(part(0), part(0));
    const by = inputs[1] && scalar(inputs[1]);
    if ((op === 'RealDiv' || op === 'Div') && by) return times(part(0), { coefficient: 1 / by, factors: [] });
    if (op === 'Pow' && by === 3) return times(part(0), times(part(0), part(0)));
  }
  return { coefficient: 1, factors: [value] };
}

function times(a: Product, b: Product): Product {
  return { coefficient: a.coefficient * b.coefficient, factors: [...a.factors, ...b.factors] };
}

/** Constants are written with few digits at times. */
const near = (a: number | undefined, b: number) => a !== undefined && Math.abs(a - b) <= 1e-4 * Math.abs(b);

/** The coefficient of a value that is a number times x to a power. */
function multipleOf(value: Value, x: Value, power = 1): number | undefined {
  const { coefficient, factors } = productOf(value);
  return factors.length === power && factors.every((f) => f === x) ? coefficient : undefined;
}

/** The two terms of a sum, the second a number: `[value, number]`. */
function plusNumber(value: Value): [Value, number] | undefined {
  if (value.node.op !== 'AddV2' && value.node.op !== 'Add') return undefined;
  const [a, b] = value.node.inputs;
  const [left, right] = [scalar(a), scalar(b)];
  return right !== undefined ? [a, right] : left !== undefined ? [b, left] : undefined;
}

const CUBIC = 0.044715;
const TANH_SCALE = Math.sqrt(2 / Math.PI);

/** √(2/π) (x + 0.044715 x³), factored or not. */
function isTanhArgument(value: Value, x: Value): boolean {
  const { coefficient, factors } = productOf(value);
  if (!near(coefficient, TANH_SCALE)) return false;
  if (factors.length === 1) {
    const [sum] = factors;
    if (sum.node.op !== 'AddV2' && sum.node.op !== 'Add') return false;
    const [a, b] = sum.node.inputs;
    return (a === x && near(multipleOf(b, x, 3), CUBIC)) || (b === x && near(multipleOf(a, x, 3), CUBIC));
  }
  const rest = factors.filter((f) => f !== x);
  const sum = rest.length === 1 && factors.length === 2 ? plusNumber(rest[0]) : undefined;
  return !!sum && near(sum[1], 1) && near(multipleOf(sum[0], x, 2), CUBIC);
}

/** Which GELU `half` · x · `factor` is; `half` is ½ unless it stands inside. */
function kindOf(coefficient: number, x: Value, factor: Value): 'exact' | 'tanh' | undefined {
  if (factor.node.op === 'Erfc') {
    return near(coefficient, 0.5) && near(multipleOf(factor.node.inputs[0], x), -Math.SQRT1_2)
      ? 'exact'
      : undefined;
  }
  const sum = plusNumber(factor);
  const inner = sum && productOf(sum[0]);
  if (
    !inner ||
    inner.factors.length !== 1 ||
    !near(coefficient * sum[1], 0.5) ||
    !near(inner.coefficient, sum[1])
  ) {
    return undefined;
  }
  const [{ node: f }] = inner.factors;
  if (f.op === 'Erf') return near(multipleOf(f.inputs[0], x), Math.SQRT1_2) ? 'exact' : undefined;
  return f.op === 'Tanh' && isTanhArgument(f.inputs[0], x) ? 'tanh' : undefined;
}

function gelu(_: Graph, node: Node, b: Rewriter): Value[] | undefined {
  if (node.output().dtype !== 'float32') return undefined;
  const { coefficient, factors } = productOf(node.output());
  if (factors.length !== 2) return undefined;
  for (const [x, factor] of [factors, [factors[1], factors[0]]]) {
    const kind = kindOf(coefficient, x, factor);
    if (kind) return [b.builtin('Gelu', [x], x, { approximate: attr.bool(kind === 'tanh') })];
  }
  return undefined;
}

export function fuseGelu(graph: Graph, { signatures }: Pick<PrepareContext, 'signatures'>): void {
  applyRewrites(graph, { Mul: gelu }, signatures);
}
