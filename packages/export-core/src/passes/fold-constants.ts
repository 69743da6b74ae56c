/**
 * Given:  y = Op(const…), or a value whose every element inference knows
 * Result: y = Const
 *
 * Exact: by the op table's `evaluate`. Bounded: nothing larger than the limit is made out of something smaller, so
 * that Fill([1e9]) stays an op. Ops with state are never folded.
 */
import { MAX_EXPANDED_BYTES } from '../bytes/limits';
import type { Graph, Node } from '../graph/graph';
import { attr } from '../graph/attr';
import { inputTypes, outputTypes } from '../ops/op-def';
import { opRow } from '../ops/table';
import { Tensor } from '../tensor/tensor';
import { elementCount, isStatic } from '../tensor/shape';
import { dtypeSize } from '../tensor/dtype';

/** A folded result may be this large, or as large as the inputs it came from. */
export const MAX_FOLDED_BYTES = 1 << 20;

export interface FoldOptions {
  /** Also fold what only inferred shapes make constant (Shape(x) of a static x). */
  useShapes: boolean;
}

/** Folds what it can; returns how many nodes became constants. Shapes must have been inferred. */
export function foldConstants(graph: Graph, options: FoldOptions): number {
  let folded = 0;
  for (const node of graph.sorted()) {
    // An identity of a constant is not folded: two of them would be two copies of one weight.
    if (node.op === 'Const' || node.op === 'Placeholder' || node.op === 'Identity') continue;
    const results = evaluateNode(node) ?? (options.useShapes ? knownElements(node) : undefined);
    if (!results) continue;
    folded++;
    replaceByConstants(graph, node, results);
  }
  return folded;
}

/** The constant outputs of a node with constant inputs; undefined where it cannot or should not be folded. */
export function evaluateNode(node: Node): Tensor[] | undefined {
  if (node.def?.stateful !== false || node.inputs.length === 0) return undefined;
  const evaluate = opRow(node.op)?.evaluate;
  if (!evaluate || node.controls.length > 0) return undefined;
  const inputs: Tensor[] = [];
  for (const value of node.inputs) {
    const { constant: tensor } = value;
    if (!tensor) return undefined;
    inputs.push(tensor);
  }
  // In a damaged graph a node may read what its op does not take; the checks tell.
  const wanted = inputTypes(node);
  if (wanted && inputs.some((tensor, i) => wanted[i] && wanted[i] !== tensor.dtype)) return undefined;
  const inputBytes = inputs.reduce((sum, t) => sum + storedBytes(t), 0);
  const limit = Math.max(MAX_FOLDED_BYTES, inputBytes);
  const announced = node.output(0);
  if (isStatic(announced.shape) && announced.dtype) {
    if (elementCount(announced.shape) * dtypeSize(announced.dtype) > limit) return undefined;
  }
  try {
    const results = evaluate(inputs, node);
    return results.reduce((sum, t) => sum + t.byteLength, 0) <= limit ? results : undefined;
  } catch (error) {
    // What TensorFlow would refuse at run time stays an op; validation names it.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** A constant that lists one element for all may say that it has any number of them. */
function storedBytes(tensor: Tensor): number {
  return tensor.splatElement ? Math.min(tensor.byteLength, MAX_EXPANDED_BYTES) : tensor.byteLength;
}

/** A node whose output inference knows element by element, although an input is not constant. */
function knownElements(node: Node): Tensor[] | undefined {
  if (node.def?.stateful !== false || outputTypes(node)?.length !== 1) return undefined;
  const { dtype, shape, partial } = node.output(0);
  if (!partial || !isStatic(shape) || (dtype !== 'int32' && dtype !== 'int64')) return undefined;
  if (partial.some((d) => d === null) || node.controls.length > 0) return undefined;
  return [Tensor.fromNumbers(dtype, shape, partial as number[])];
}

function replaceByConstants(graph: Graph, node: Node, results: Tensor[]): void {
  // A constant of a TF1 loop or branch belongs to it by its control edges alone.
  const controls = new Set([...node.controls, ...node.inputs.flatMap((v) => v.node.controls)]);
  if (results.length === 1) {
    const [tensor] = results;
    graph.become(node, 'Const', [], { dtype: attr.type(tensor.dtype), value: attr.tensor(tensor) });
    node.controls = [...controls];
    annotate(node, tensor);
    return;
  }
  graph.replace(
    new Map(
      results.map((tensor, i) => {
        const constant = graph.addConst(`${node.name}/folded_${i}`, tensor);
        constant.controls = [...controls];
        return [node.output(i), constant.output()] as const;
      }),
    ),
  );
}

function annotate(node: Node, tensor: Tensor): void {
  const value = node.output();
  value.dtype = tensor.dtype;
  value.shape = [...tensor.shape];
  value.partial = undefined;
}
