/**
 * Shape inference through functions: the body of an If, a While or a call is annotated with what its caller knows of
 * the arguments, and the caller's outputs with what the body's results are.
 *
 * A body keeps the annotation of the caller that came last; a function with one caller has exactly its shapes.
 */
import { Diagnostics } from '../diagnostics/diagnostic';
import { FunctionGraph, type Node, type Value } from '../graph/graph';
import type { DType } from '../tensor/dtype';
import { commonShape, mergeShapes, sameShape, type Dim, type Shape } from '../tensor/shape';

/** What is known of a value that crosses the border of a function. */
interface Known {
  dtype?: DType;
  shape: Shape;
  partial?: Dim[];
}

export type Library = ReadonlyMap<string, FunctionGraph>;
type InferGraph = (body: FunctionGraph, diagnostics: Diagnostics) => void;

const BRANCHES = new Set(['If', 'StatelessIf', '_If', 'Case', 'StatelessCase']);
const LOOPS = new Set(['While', 'StatelessWhile', '_While']);
const CALLS = new Set(['PartitionedCall', 'StatefulPartitionedCall']);

/** True for nodes whose outputs the bodies of functions tell. */
export function callsFunctions(node: Node): boolean {
  return BRANCHES.has(node.op) || LOOPS.has(node.op) || CALLS.has(node.op);
}

/** Known elements of a constant integer operand stay known inside. */
const MAX_ELEMENTS = 64;

/** Functions that annotate each other without end are recursive: deeper than this nothing is annotated. */
const MAX_DEPTH = 100;
let depth = 0;

/**
 * Annotates the outputs of a node that calls functions: with what the bodies give, and what the node's attribute
 * announces beyond that. Outputs of functions that are not in the library stay as they are.
 */
export function inferCall(
  node: Node,
  library: Library,
  inferGraph: InferGraph,
  diagnostics: Diagnostics,
): void {
  if (depth >= MAX_DEPTH) return;
  depth++;
  try {
    const results = LOOPS.has(node.op)
      ? loop(node, library, inferGraph, diagnostics)
      : called(node, library, inferGraph, diagnostics);
    const announced = node.attr('output_shapes');
    const shapes =
      announced?.kind === 'list' && announced.value.length === results?.length ? announced.value : [];
    results?.forEach((known, i) => {
      const shape = shapes[i]?.kind === 'shape' ? shapes[i].value : null;
      const { dtype, partial } = known;
      const value = node.output(i);
      Object.assign(value, { dtype: dtype ?? value.dtype, shape: mergeShapes(known.shape, shape), partial });
    });
  } finally {
    depth--;
  }
}

/** The functions a node may run, in the order of its attributes. */
function bodiesOf(node: Node, library: Library): FunctionGraph[] | undefined {
  let names: string[] = [];
  if (node.op.endsWith('Case')) {
    const list = node.attr('branches');
    names = list?.kind === 'list' ? list.value.flatMap((a) => (a.kind === 'func' ? [a.value.name] : [])) : [];
  } else if (BRANCHES.has(node.op)) names = [node.func('then_branch').name, node.func('else_branch').name];
  else if (CALLS.has(node.op)) names = [node.func('f').name];
  const bodies = names.map((name) => library.get(name)).filter((f): f is FunctionGraph => f !== undefined);
  return bodies.length > 0 && bodies.length === names.length ? bodies : undefined;
}

function called(
  node: Node,
  library: Library,
  inferGraph: InferGraph,
  diagnostics: Diagnostics,
): Known[] | undefined {
  const operands = (CALLS.has(node.op) ? node.inputs : node.inputs.slice(1)).map(knownOf);
  const results = bodiesOf(node, library)?.map((body) => annotate(body, operands, inferGraph, diagnostics));
  return results?.reduce((a, b) => a.map((known, i) => common(known, b[i])));
}

/** Loop variables start with the operands' shapes; what an iteration changes becomes unknown, until it is stable. */
function loop(
  node: Node,
  library: Library,
  inferGraph: InferGraph,
  diagnostics: Diagnostics,
): Known[] | undefined {
  const cond = library.get(node.func('cond').name);
  const body = library.get(node.func('body').name);
  if (!body || body.results.length !== node.inputs.length) return undefined;
  const operands = node.inputs.map(knownOf);
  let known = operands.map((operand, i) =>
    isInvariant(body, i) ? operand : { ...operand, partial: undefined },
  );
  for (;;) {
    // What contradicts before the shapes are stable need not contradict then.
    const after = annotate(body, known, inferGraph, new Diagnostics());
    const next = known.map((before, i) => (isInvariant(body, i) ? before : common(before, after[i])));
    if (next.every((k, i) => sameShape(k.shape, known[i].shape))) break;
    known = next.map((k) => ({ ...k, partial: undefined }));
  }
  annotate(body, known, inferGraph, diagnostics);
  if (cond) annotate(cond, known, inferGraph, diagnostics);
  return known;
}

function isInvariant(body: FunctionGraph, i: number): boolean {
  return body.results[i].node === body.args[i];
}

function annotate(
  body: FunctionGraph,
  operands: readonly Known[],
  inferGraph: InferGraph,
  diagnostics: Diagnostics,
): Known[] {
  body.args.forEach((arg, i) => {
    const declared = arg.attr('T');
    const dtype = operands[i]?.dtype ?? (declared?.kind === 'type' ? declared.value : undefined);
    Object.assign(arg.output(), { dtype, shape: operands[i]?.shape ?? null, partial: operands[i]?.partial });
  });
  inferGraph(body, diagnostics);
  return body.results.map(knownOf);
}

function knownOf(value: Value): Known {
  const { dtype, shape = null } = value;
  const constant = value.node.constant;
  if (constant && (constant.dtype === 'int32' || constant.dtype === 'int64') && constant.size <= MAX_ELEMENTS)
    return { dtype, shape, partial: constant.toNumbers() };
  return { dtype, shape, partial: value.partial };
}

/** What two descriptions share. */
function common(a: Known, b: Known | undefined): Known {
  if (!b) return a;
  const same = a.partial && b.partial && a.partial.length === b.partial.length;
  const partial = same ? a.partial!.map((e, i) => (e === b.partial![i] ? e : null)) : undefined;
  return { dtype: a.dtype ?? b.dtype, shape: commonShape(a.shape, b.shape), partial };
}
