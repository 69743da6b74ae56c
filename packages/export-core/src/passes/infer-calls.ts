/**
 * Shape inference through functions: the body of an If, a While or a call is annotated with what its caller knows of
 * the arguments, and the caller's outputs with what the body's results are.
 *
 * A body keeps the annotation of the caller that came last; a function with one caller has exactly its shapes.
 */
import { MAX_INFERRED_NODES } from '../bytes/limits';
import { Diagnostics, type Diagnostic } from '../diagnostics/diagnostic';
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

/**
 * One inference over a graph and its functions. A body is not walked again for arguments of which the same is known,
 * so that functions which call each other twice, or loops in loops, do not double the work with every level; what is
 * left of it has a limit.
 */
export class Inference {
  private readonly last = new Map<
    FunctionGraph,
    { operands: string; results: Known[]; problems: readonly Diagnostic[] }
  >();
  private nodesLeft = MAX_INFERRED_NODES;
  /** Functions that annotate each other without end are recursive: deeper than this nothing is annotated. */
  private depth = 0;

  constructor(
    readonly library: Library,
    private readonly inferGraph: InferGraph,
  ) {}

  /** Runs a step into functions; undefined where it goes too deep. */
  within<T>(step: () => T): T | undefined {
    if (this.depth >= MAX_DEPTH) return undefined;
    this.depth++;
    try {
      return step();
    } finally {
      this.depth--;
    }
  }

  /** Annotates a body for arguments of which this is known; gives what is known of its results. */
  annotate(body: FunctionGraph, operands: readonly Known[], diagnostics: Diagnostics): Known[] {
    const key = JSON.stringify(operands);
    let known = this.last.get(body);
    if (known?.operands !== key) {
      this.nodesLeft -= body.nodes.size;
      if (this.nodesLeft < 0) return body.results.map(() => ({ shape: null }));
      body.args.forEach((arg, i) => {
        const declared = arg.attr('T');
        const dtype = operands[i]?.dtype ?? (declared?.kind === 'type' ? declared.value : undefined);
        const { shape = null, partial } = operands[i] ?? {};
        Object.assign(arg.output(), { dtype, shape, partial });
      });
      const problems = new Diagnostics();
      this.inferGraph(body, problems);
      known = { operands: key, results: body.results.map(knownOf), problems: problems.list };
      this.last.set(body, known);
    }
    diagnostics.addAll(known.problems);
    return known.results;
  }
}

const BRANCHES = new Set(['If', 'StatelessIf', '_If', 'Case', 'StatelessCase']);
const LOOPS = new Set(['While', 'StatelessWhile', '_While']);
const CALLS = new Set(['PartitionedCall', 'StatefulPartitionedCall']);

/** True for nodes whose outputs the bodies of functions tell. */
export function callsFunctions(node: Node): boolean {
  return BRANCHES.has(node.op) || LOOPS.has(node.op) || CALLS.has(node.op);
}

/** Known elements of a constant integer operand stay known inside. */
const MAX_ELEMENTS = 64;

const MAX_DEPTH = 100;

/**
 * Annotates the outputs of a node that calls functions: with what the bodies give, and what the node's attribute
 * announces beyond that. Outputs of functions that are not in the library stay as they are.
 */
export function inferCall(node: Node, run: Inference, diagnostics: Diagnostics): void {
  const results = run.within(() =>
    LOOPS.has(node.op) ? loop(node, run, diagnostics) : called(node, run, diagnostics),
  );
  const announced = node.attr('output_shapes');
  const shapes =
    announced?.kind === 'list' && announced.value.length === results?.length ? announced.value : [];
  results?.forEach((known, i) => {
    const shape = shapes[i]?.kind === 'shape' ? shapes[i].value : null;
    const { dtype, partial } = known;
    const value = node.output(i);
    Object.assign(value, { dtype: dtype ?? value.dtype, shape: mergeShapes(known.shape, shape), partial });
  });
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

function called(node: Node, run: Inference, diagnostics: Diagnostics): Known[] | undefined {
  const operands = (CALLS.has(node.op) ? node.inputs : node.inputs.slice(1)).map(knownOf);
  const results = bodiesOf(node, run.library)?.map((body) => run.annotate(body, operands, diagnostics));
  return results?.reduce((a, b) => a.map((known, i) => common(known, b[i])));
}

/** Loop variables start with the operands' shapes; what an iteration changes becomes unknown, until it is stable. */
function loop(node: Node, run: Inference, diagnostics: Diagnostics): Known[] | undefined {
  const { library } = run;
  const cond = library.get(node.func('cond').name);
  const body = library.get(node.func('body').name);
  if (!body || body.results.length !== node.inputs.length) return undefined;
  const operands = node.inputs.map(knownOf);
  let known = operands.map((operand, i) =>
    isInvariant(body, i) ? operand : { ...operand, partial: undefined },
  );
  for (;;) {
    // What contradicts before the shapes are stable need not contradict then.
    const after = run.annotate(body, known, new Diagnostics());
    const next = known.map((before, i) => (isInvariant(body, i) ? before : common(before, after[i])));
    if (next.every((k, i) => sameShape(k.shape, known[i].shape))) break;
    known = next.map((k) => ({ ...k, partial: undefined }));
  }
  run.annotate(body, known, diagnostics);
  if (cond) run.annotate(cond, known, diagnostics);
  return known;
}

function isInvariant(body: FunctionGraph, i: number): boolean {
  return body.results[i].node === body.args[i];
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
