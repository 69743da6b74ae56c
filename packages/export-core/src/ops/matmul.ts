/** Matrix products and Einsum. Diagonals and bands are in diagonals.ts. */
import type { Node } from '../graph/graph';
import { broadcastShapes, elementCount, stridesOf, type Dim, type Shape } from '../tensor/shape';
import { dtypeKind } from '../tensor/dtype';
import type { Tensor } from '../tensor/tensor';
import { castTensor } from './cast';
import { merged } from './elementwise-shapes';
import { broadcastOf, broadcastStrides } from './kernels/broadcast';
import { contract, type Operand } from './kernels/contract';
import { mapBinary, noKernel, type BinaryKernel } from './kernels/elementwise';
import { concatTensors, sliceTensor, transposeTensor } from './kernels/cells';
import {
  dimsOfRank,
  mergeDims,
  mergeKnown,
  out,
  rankAtLeast,
  refuse,
  unknownDims,
} from './kernels/shape-rules';
import type { InferContext, OpRow, OpTable } from './op-row';

/** The last two dimensions, in the order of rows and columns. */
function matrixDims(shape: readonly Dim[], flip: boolean): [Dim, Dim] {
  const [rows, columns] = shape.slice(-2);
  return flip ? [columns, rows] : [rows, columns];
}

/** Rows and columns exchanged. */
function flipped(t: Tensor): Tensor {
  const rank = t.shape.length;
  return transposeTensor(
    t,
    t.shape.map((_, d) => (d < rank - 2 ? d : 2 * rank - 3 - d)),
  );
}

/** The product of two stacks of matrices; `flip` exchanges rows and columns, for complex numbers conjugated. */
function multiply(a: Tensor, b: Tensor, flipA: boolean, flipB: boolean, conjugate: boolean): Tensor {
  if (a.shape.length < 2 || b.shape.length < 2) refuse(`[${a.shape}] or [${b.shape}] is no matrix`);
  const [rows, inner] = matrixDims(a.shape, flipA) as [number, number];
  const [inner2, columns] = matrixDims(b.shape, flipB) as [number, number];
  if (inner !== inner2) refuse(`[${a.shape}] and [${b.shape}] cannot be multiplied`);
  const batch = broadcastOf(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const steps = (t: Tensor, size: number) =>
    broadcastStrides(t.shape.slice(0, -2), batch).map((s) => s * size);
  // Rows times rows: the sums run through memory without gaps.
  const left: Operand = {
    tensor: flipA ? flipped(a) : a,
    strides: [...steps(a, rows * inner), inner, 0, 1],
    conjugate: flipA && conjugate,
  };
  const right: Operand = {
    tensor: flipB ? b : flipped(b),
    strides: [...steps(b, columns * inner), 0, inner, 1],
    conjugate: flipB && conjugate,
  };
  return contract(a.dtype, [...batch, rows, columns], [inner], [left, right]);
}

function inferMatMul(c: InferContext): Shape {
  const [rows, inner] = matrixDims(dimsOfRank(c, 0, 2), c.node.bool('transpose_a'));
  const [inner2, columns] = matrixDims(dimsOfRank(c, 1, 2), c.node.bool('transpose_b'));
  mergeDims(c, inner, inner2);
  return [rows, columns];
}

const matMul: OpRow = {
  infer: (c) => out(inferMatMul(c)),
  evaluate: ([a, b], node) => {
    if (a.shape.length !== 2 || b.shape.length !== 2) refuse(`[${a.shape}] or [${b.shape}] is no matrix`);
    return [multiply(a, b, node.bool('transpose_a'), node.bool('transpose_b'), false)];
  },
};

/** Version 1 wants equal batch dimensions, the later ones broadcast them; version 3 also widens the elements. */
function batchMatMul(version: 1 | 2 | 3): OpRow {
  return {
    infer: (c) => {
      const [a, b] = [rankAtLeast(c, 0, 2), rankAtLeast(c, 1, 2)];
      if (version === 1 && (a ?? b)) {
        const rank = (a ?? b)!.length;
        const [x, y] = [dimsOfRank(c, 0, rank), dimsOfRank(c, 1, rank)];
        return out([...mergeKnown(c, x.slice(0, -2), y.slice(0, -2))!, ...product(c, x, y)]);
      }
      if (!a || !b) return out(null);
      const batch = broadcastShapes(a.slice(0, -2), b.slice(0, -2));
      if (!batch) return c.fail(`the batch dimensions of [${a}] and [${b}] do not broadcast`);
      return out([...batch, ...product(c, a, b)]);
    },
    evaluate: ([a, b], node) => {
      const to = version === 3 ? node.type('Tout') : a.dtype;
      if (version === 1 && a.shape.slice(0, -2).join() !== b.shape.slice(0, -2).join()) {
        refuse(`the batch dimensions of [${a.shape}] and [${b.shape}] differ`);
      }
      return [multiply(castTensor(a, to), castTensor(b, to), node.bool('adj_x'), node.bool('adj_y'), true)];
    },
  };
}

function product(c: InferContext, a: readonly Dim[], b: readonly Dim[]): [Dim, Dim] {
  const [rows, inner] = matrixDims(a, c.node.bool('adj_x'));
  const [inner2, columns] = matrixDims(b, c.node.bool('adj_y'));
  mergeDims(c, inner, inner2);
  return [rows, columns];
}

/** The labels of an Einsum equation. `…` stands for the dimensions of an ellipsis. */
interface Equation {
  inputs: string[][];
  output: string[];
}

function parseEquation(node: Node): Equation | undefined {
  const [left, right, more] = node.string('equation').replaceAll(' ', '').split('->');
  if (right === undefined || more !== undefined) return undefined;
  const labels = (term: string) => [...term.replaceAll('...', '…')];
  return { inputs: left.split(',').map(labels), output: labels(right) };
}

/** A term's labels spread over a rank: the ellipsis becomes `…n` to `…1`, counted from its end. */
function spreadLabels(labels: readonly string[], rank: number): string[] | undefined {
  const wide = rank - labels.filter((l) => l !== '…').length;
  if (wide < 0 || (wide > 0 && !labels.includes('…'))) return undefined;
  return labels.flatMap((l) => (l === '…' ? Array.from({ length: wide }, (_, i) => `…${wide - i}`) : [l]));
}

/** Size of each label, and each operand's labels; `fail` reports what does not fit. */
function labelSizes(
  equation: Equation,
  shapes: readonly (readonly Dim[])[],
  fail: (message: string) => never,
): { sizes: Map<string, Dim>; terms: string[][]; output: string[] } {
  const sizes = new Map<string, Dim>();
  const terms = shapes.map((shape, i) => {
    const term = spreadLabels(equation.inputs[i], shape.length);
    if (!term) return fail(`operand ${i} of shape [${shape}] does not fit "${equation.inputs[i].join('')}"`);
    term.forEach((label, d) => {
      const [old, size] = [sizes.get(label), shape[d]];
      if (old === undefined || old === null || (label.startsWith('…') && old === 1)) {
        sizes.set(
          label,
          old === null && (size === null || (size === 1 && label.startsWith('…'))) ? null : size,
        );
      } else if (size !== null && size !== old && !(label.startsWith('…') && size === 1)) {
        fail(`label "${label}" has the sizes ${old} and ${size}`);
      }
    });
    return term;
  });
  const wide = Math.max(0, ...terms.map((t) => t.filter((l) => l.startsWith('…')).length));
  const output = spreadLabels(
    equation.output,
    equation.output.filter((l) => l !== '…').length + (equation.output.includes('…') ? wide : 0),
  ) as string[];
  for (const l of output) if (!sizes.has(l)) fail(`label "${l}" stands in no operand`);
  return { sizes, terms, output };
}

const einsum: OpRow = {
  infer: (c) => {
    const equation = parseEquation(c.node);
    if (!equation || equation.inputs.length !== c.count)
      return c.fail('the equation does not fit the operands');
    // An operand of unknown rank has one dimension a label, unless there is an ellipsis.
    const shapes = equation.inputs.map(
      (labels, i) => c.shape(i) ?? (labels.includes('…') ? null : unknownDims(labels.length)),
    );
    if (shapes.includes(null)) return out(null);
    const { sizes, output } = labelSizes(equation, shapes as Dim[][], (m) => c.fail(m));
    return out(output.map((l) => sizes.get(l) as Dim));
  },
  evaluate: (tensors, node) => {
    const equation = parseEquation(node);
    if (!equation || equation.inputs.length !== tensors.length || tensors.length > 2)
      refuse('an equation of more');
    const shapes = tensors.map((t) => t.shape);
    const { sizes, terms, output } = labelSizes(equation, shapes, refuse);
    const summed = [...sizes.keys()].filter((l) => !output.includes(l));
    const all = [...output, ...summed];
    const operands = tensors.map((tensor, i): Operand => {
      const own = stridesOf(tensor.shape);
      // A label that stands twice walks the diagonal; an ellipsis dimension of size 1 repeats.
      const step = (label: string) =>
        terms[i].reduce((sum, l, d) => (l === label && tensor.shape[d] !== 1 ? sum + own[d] : sum), 0);
      return { tensor, strides: all.map(step) };
    });
    const sizeOf = (l: string) => sizes.get(l) as number;
    const [first, second] = operands;
    return [contract(tensors[0].dtype, output.map(sizeOf), summed.map(sizeOf), [first, second])];
  },
};

const times: BinaryKernel = { float: (x, y) => x * y, int: Math.imul, big: (x, y) => x * y };
const minus: BinaryKernel = { float: (x, y) => x - y, int: (x, y) => x - y, big: (x, y) => x - y };

/** The cross product of vectors of three along the last axis. */
function cross(a: Tensor, b: Tensor): Tensor {
  const rank = a.shape.length;
  if (a.shape.join() !== b.shape.join() || a.shape[rank - 1] !== 3) refuse(`[${a.shape}] and [${b.shape}]`);
  if (dtypeKind(a.dtype) === 'complex') throw noKernel(a.dtype);
  const shape = [...a.shape.slice(0, -1), 1];
  const part = (t: Tensor, i: number) => sliceTensor(t, [...shape.slice(0, -1).map(() => 0), i % 3], shape);
  const parts = [0, 1, 2].map((i) =>
    mapBinary(
      mapBinary(part(a, i + 1), part(b, i + 2), times),
      mapBinary(part(a, i + 2), part(b, i + 1), times),
      minus,
    ),
  );
  return elementCount(a.shape) === 0 ? a : concatTensors(parts, rank - 1);
}

/** Square matrices in, the same out. */
const square: OpRow = {
  infer: (c) => {
    const shape = rankAtLeast(c, 0, 2);
    if (!shape) return out(null);
    const side = mergeDims(c, shape.at(-2)!, shape.at(-1)!);
    return out([...shape.slice(0, -2), side, side]);
  },
};

export const table: OpTable = {
  MatMul: matMul,
  /** Operands of float32 or bfloat16, a float32 product. */
  SparseMatMul: {
    infer: (c) => out(inferMatMul(c)),
    evaluate: ([a, b], node) => {
      const [x, y] = [castTensor(a, 'float32'), castTensor(b, 'float32')];
      return [multiply(x, y, node.bool('transpose_a'), node.bool('transpose_b'), false)];
    },
  },
  /** TensorFlow's optimiser's product with a bias and an activation; taken apart before it is evaluated. */
  _FusedMatMul: { infer: (c) => out(inferMatMul(c)) },
  BatchMatMul: batchMatMul(1),
  BatchMatMulV2: batchMatMul(2),
  BatchMatMulV3: batchMatMul(3),
  Einsum: einsum,
  Cross: {
    infer: merged,
    evaluate: ([a, b]) => [cross(a, b)],
  },
  Cholesky: square,
  MatrixInverse: square,
  MatrixExponential: square,
  MatrixSquareRoot: square,
  MatrixDeterminant: {
    infer: (c) => {
      const shape = rankAtLeast(c, 0, 2);
      return out(shape && shape.slice(0, -2));
    },
  },
};
