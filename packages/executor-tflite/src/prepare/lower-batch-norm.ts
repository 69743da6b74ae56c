/**
 * Given:  y = FusedBatchNorm(x, scale, offset, mean, variance), is_training = false
 * Result: y = x · m + a   with m = scale / √(variance + ε), a = offset − mean · m
 *
 * The statistics it also gives are those it was given. Of constants, m and a are computed in double precision and rounded once. What follows a convolution is folded
 * into its filter and bias later.
 */
import { attr, Tensor, type Graph, type Node, type Value } from '@floe/export-core';
import type { PrepareContext } from './prepare';
import { replace } from './rewrite';

const BATCH_NORM = /^FusedBatchNorm(V2|V3)?$/;

export function lowerBatchNorm(graph: Graph, { signatures }: Pick<PrepareContext, 'signatures'>): void {
  const shown = new Set(signatures.flatMap((s) => s.outputs.map((o) => o.tensor)));
  for (const node of [...graph.nodes.values()]) {
    if (!BATCH_NORM.test(node.op) || node.bool('is_training')) continue;
    const constants = node.inputs.slice(1).map((v) => v.node.constant);
    const [factor, addend] = constants.every((t) => t !== undefined && t.dtype === 'float32')
      ? folded(graph, node, constants as Tensor[])
      : computed(graph, node);
    const T = attr.type(node.type('T'));
    const product = graph.add(`${node.name}/mul`, 'Mul', [node.inputs[0], factor], { T });
    const statistics = statisticsOf(graph, node);
    if (statistics.some((_, i) => shown.has(node.output(i + 1).name))) {
      const sum = graph.add(`${node.name}/add`, 'AddV2', [product.output(), addend], { T });
      Object.assign(sum.output(), { dtype: node.output().dtype, shape: node.output().shape });
      replace(graph, node, [sum.output(), ...statistics]);
      continue;
    }
    graph.replace(new Map(statistics.map((value, i) => [node.output(i + 1), value])));
    // In place: the name may be an output of the contract, and readers keep reading output 0.
    graph.become(node, 'AddV2', [product.output(), addend], { T });
  }
}

/** Outputs 1 and up: mean and variance, twice, and scratch space that only GPUs fill. */
function statisticsOf(graph: Graph, node: Node): Value[] {
  const [, , , mean, variance] = node.inputs;
  const statistics = [mean, variance, mean, variance];
  if (node.op !== 'FusedBatchNormV3') return statistics;
  const scratch = Tensor.scalar(mean.dtype ?? 'float32', 0);
  return [...statistics, graph.addConst(`${node.name}/scratch`, scratch).output()];
}

function folded(graph: Graph, node: Node, [scale, offset, mean, variance]: Tensor[]): [Value, Value] {
  const epsilon = node.float('epsilon');
  const n = scale.size;
  const factor = new Float32Array(n);
  const addend = new Float32Array(n);
  for (let i = 0; i < n; i++) {
    const m = scale.at(i) / Math.sqrt(variance.at(i) + epsilon);
    factor[i] = m;
    addend[i] = offset.at(i) - mean.at(i) * m;
  }
  return [
    graph.addConst(`${node.name}/factor`, Tensor.fromArray('float32', [n], factor)).output(),
    graph.addConst(`${node.name}/addend`, Tensor.fromArray('float32', [n], addend)).output(),
  ];
}

/** The same out of ops, where a statistic is computed or the type is another. */
function computed(graph: Graph, node: Node): [Value, Value] {
  const [, scale, offset, mean, variance] = node.inputs;
  const dtype = scale.dtype ?? 'float32';
  const T = attr.type(dtype);
  const op = (name: string, type: string, inputs: Value[]) =>
    graph.add(`${node.name}/${name}`, type, inputs, { T }).output();
  const epsilon = graph
    .addConst(`${node.name}/epsilon`, Tensor.scalar(dtype, node.float('epsilon')))
    .output();
  const inverse = op('rsqrt', 'Rsqrt', [op('variance', 'AddV2', [variance, epsilon])]);
  const factor = op('factor', 'Mul', [scale, inverse]);
  const addend = op('addend', 'Sub', [offset, op('shift', 'Mul', [mean, factor])]);
  return [factor, addend];
}
