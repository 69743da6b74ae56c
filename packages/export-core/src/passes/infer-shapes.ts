/**
 * Given:  a graph, perhaps with declared shapes on its placeholders
 * Result: dtype, shape and known elements on every value; contradictions are diagnostics
 *
 * One walk in topological order through the op table. A row without `infer`, or an op outside the table, gives
 * unknown shapes. The dtype comes from the op's definition. Bodies of called functions are walked where they are
 * called.
 */
import type { Diagnostics } from '../diagnostics/diagnostic';
import { FunctionGraph, type Graph, type Node, type Value } from '../graph/graph';
import { outputTypes } from '../ops/op-def';
import type { InferContext, OutputInfo } from '../ops/op-row';
import { opRow } from '../ops/table';
import { callsFunctions, inferCall, Inference, type Library } from './infer-calls';
import type { Dim, Shape } from '../tensor/shape';
import { elementCount, isStatic, shapeToString } from '../tensor/shape';
import type { Tensor } from '../tensor/tensor';

/** Known elements are kept for integer tensors up to this size: shapes and index lists, not data. */
const MAX_ELEMENTS = 64;

class Contradiction extends Error {}

class Context implements InferContext {
  constructor(readonly node: Node) {}

  get count(): number {
    return this.node.inputs.length;
  }

  private input(i: number): Value {
    const value = this.node.inputs[i];
    if (!value) throw new Contradiction(`input ${i} is missing`);
    return value;
  }

  shape(i: number): Shape {
    return this.input(i).shape ?? null;
  }

  dtype(i: number) {
    return this.input(i).dtype;
  }

  constant(i: number): Tensor | undefined {
    return this.input(i).constant;
  }

  elements(i: number): Dim[] | undefined {
    const value = this.input(i);
    const tensor = value.constant;
    if (tensor && (tensor.dtype === 'int32' || tensor.dtype === 'int64') && tensor.size <= MAX_ELEMENTS) {
      return tensor.toNumbers();
    }
    return value.partial;
  }

  fail(message: string): never {
    throw new Contradiction(message);
  }
}

/** Annotates every value of the graph and of the functions it calls; arguments of a function graph stay as they are. */
export function inferShapes(
  graph: Graph,
  diagnostics: Diagnostics,
  library: Library = graph.functions,
): void {
  const run: Inference = new Inference(library, (body, problems) => inferGraph(body, run, problems));
  inferGraph(graph, run, diagnostics);
}

function inferGraph(graph: Graph, run: Inference, diagnostics: Diagnostics): void {
  const args = new Set(graph instanceof FunctionGraph ? graph.args : []);
  for (const node of graph.sorted()) {
    if (args.has(node)) continue;
    inferNode(node, diagnostics);
    if (callsFunctions(node)) inferCall(node, run, diagnostics);
  }
}

/** Annotates the outputs of one node whose inputs are annotated. */
export function inferNode(node: Node, diagnostics: Diagnostics): void {
  const dtypes = outputTypes(node) ?? [];
  let infos: OutputInfo[] = [];
  try {
    infos = opRow(node.op)?.infer?.(new Context(node)) ?? [];
  } catch (error) {
    if (!(error instanceof Contradiction)) throw error;
    diagnostics.error('G012', `${node.op} "${node.name}": ${error.message}`, {
      hint: `it reads ${shapesRead(node)}: declare sizes that fit under inputs, or mend the graph there`,
      node: node.name,
    });
  }
  for (let i = 0; i < Math.max(dtypes.length, infos.length); i++) {
    const value = node.output(i);
    const info = infos[i] as OutputInfo | undefined;
    value.dtype = info?.dtype ?? dtypes[i];
    value.shape = info?.shape ?? null;
    value.partial = keepElements(value.shape, info?.elements);
  }
}

/** `"x:0" [1,5] and "w:0" [3,4]` */
function shapesRead({ inputs }: Node): string {
  return inputs.map((value) => `"${value.name}" ${shapeToString(value.shape)}`).join(' and ');
}

function keepElements(shape: Shape, elements: Dim[] | undefined): Dim[] | undefined {
  if (!elements || elements.length > MAX_ELEMENTS) return undefined;
  return isStatic(shape) && elementCount(shape) !== elements.length ? undefined : elements;
}
