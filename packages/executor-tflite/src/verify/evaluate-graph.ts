/**
 * Evaluates a frozen graph by the op table: exact, for every dtype, and slow.
 *
 * Each value is computed once, in an order in which all it needs is there, and forgotten after its last reader. A
 * value on a branch that was not taken is dead, as in TensorFlow; Merge takes the live one.
 */
import {
  opRow,
  outputTypes,
  Tensor,
  type Attr,
  type FunctionGraph,
  type Graph,
  type Node,
  type Value,
} from '@floe/export-core';
import { CannotRun } from './cannot-run';
import { isTensorList, listOps, type TensorList } from './tensor-lists';

/** What an edge carries: a tensor, a list of them, or nothing on a branch not taken. */
export type EdgeValue = Tensor | TensorList | typeof DEAD;

const DEAD = Symbol('dead');

/** Iterations of one loop: beyond what can be evaluated in reasonable time, and against graphs that never end. */
const MAX_ITERATIONS = 100_000;
/** Functions that call each other: TensorFlow's own limit is of this order. */
const MAX_CALL_DEPTH = 256;

/** Computes tensors of a graph. @throws CannotRun for ops that cannot be evaluated */
export class GraphEvaluator {
  private readonly order: Node[];
  private readonly fedNodes: ReadonlySet<Node>;
  private readonly readers: ReadonlyMap<Value, number>;

  constructor(
    private readonly graph: Graph,
    private readonly fetches: readonly Value[],
    fed: readonly Value[],
    private readonly functions: ReadonlyMap<string, FunctionGraph> = graph.functions,
    private readonly depth = 0,
  ) {
    if (depth > MAX_CALL_DEPTH)
      throw new CannotRun(`its functions call each other more than ${MAX_CALL_DEPTH} deep`);
    this.fedNodes = new Set(fed.map((v) => v.node));
    this.order = this.neededNodes();
    this.readers = countReaders(this.order, fetches);
  }

  /** Every op that stands in the way of an evaluation, once. */
  obstacles(): string[] {
    const missing = this.order.filter((n) => !this.fedNodes.has(n) && !canEvaluate(n, this.functions));
    return [...new Set(missing.map((n) => n.op))];
  }

  run(feeds: ReadonlyMap<Value, EdgeValue>): EdgeValue[] {
    const values = new Map<Value, EdgeValue>(feeds);
    const left = new Map(this.readers);
    for (const node of this.order) {
      if (!this.fedNodes.has(node)) {
        const inputs = node.inputs.map((v) => values.get(v) as EdgeValue);
        this.evaluate(node, inputs).forEach((value, i) => values.set(node.output(i), value));
      }
      for (const input of new Set(node.inputs)) {
        const count = (left.get(input) ?? 0) - 1;
        left.set(input, count);
        if (count === 0) values.delete(input);
      }
    }
    return this.fetches.map((v) => values.get(v) as EdgeValue);
  }

  private evaluate(node: Node, inputs: EdgeValue[]): EdgeValue[] {
    if (node.constant) return [node.constant];
    if (node.op === 'Merge') return merge(inputs);
    if (inputs.includes(DEAD)) return Array.from({ length: outputTypes(node)?.length ?? 1 }, () => DEAD);
    switch (node.op) {
      case 'Placeholder':
      case '_Arg':
        throw new CannotRun(`"${node.name}" is not fed`);
      case 'NoOp':
      case 'Assert':
        return [];
      case 'PlaceholderWithDefault':
        return inputs;
      case 'Switch':
        return tensorOf(inputs[1]).at(0) ? [DEAD, inputs[0]] : [inputs[0], DEAD];
      case 'PartitionedCall':
      case 'StatefulPartitionedCall':
        return this.call(node.func('f').name, inputs);
      case 'If':
      case 'StatelessIf': {
        const branch = isTrue(tensorOf(inputs[0])) ? 'then_branch' : 'else_branch';
        return this.call(node.func(branch).name, inputs.slice(1));
      }
      case 'Case':
      case 'StatelessCase': {
        const branches = listOf(node.attr('branches'));
        const index = tensorOf(inputs[0]).at(0);
        const branch = branches[index >= 0 && index < branches.length ? index : branches.length - 1];
        return this.call(branch, inputs.slice(1));
      }
      case 'While':
      case 'StatelessWhile':
        return this.loop(node, inputs);
    }
    if (this.functions.has(node.op)) return this.call(node.op, inputs);
    const list = listOps[node.op];
    if (list) return list(node, inputs as (Tensor | TensorList)[]);
    const evaluate = opRow(node.op)?.evaluate;
    if (!evaluate) throw new CannotRun(`it has no evaluation of ${node.op} ("${node.name}")`);
    if (inputs.some(isTensorList)) {
      // Identities pass lists on; nothing else takes them.
      if (node.op === 'Identity' || node.op === 'IdentityN') return inputs;
      throw new CannotRun(`${node.op} ("${node.name}") reads a list of tensors`);
    }
    try {
      return evaluate(inputs as Tensor[], node);
    } catch (error) {
      if (!(error instanceof RangeError) && !(error instanceof TypeError)) throw error;
      throw new CannotRun(`${node.op} ("${node.name}"): ${error.message}`);
    }
  }

  private call(name: string, inputs: EdgeValue[]): EdgeValue[] {
    return this.callee(name)(inputs);
  }

  private readonly callees = new Map<string, (inputs: EdgeValue[]) => EdgeValue[]>();

  private callee(name: string): (inputs: EdgeValue[]) => EdgeValue[] {
    let callee = this.callees.get(name);
    if (!callee) {
      const body = this.functions.get(name);
      if (!body) throw new CannotRun(`function "${name}" is not in the graph`);
      const args = body.args.map((a) => a.output());
      const evaluator = new GraphEvaluator(body, body.results, args, this.functions, this.depth + 1);
      callee = (inputs) => evaluator.run(new Map(args.map((a, i) => [a, inputs[i]])));
      this.callees.set(name, callee);
    }
    return callee;
  }

  private loop(node: Node, inputs: EdgeValue[]): EdgeValue[] {
    const condition = this.callee(node.func('cond').name);
    const body = this.callee(node.func('body').name);
    let values = inputs;
    for (let i = 0; isTrue(tensorOf(condition(values)[0])); i++) {
      if (i === MAX_ITERATIONS)
        throw new CannotRun(`loop "${node.name}" runs more than ${MAX_ITERATIONS} times`);
      values = body(values);
    }
    return values;
  }

  /** What the fetches need; nothing behind a value that is fed. */
  private neededNodes(): Node[] {
    const needed = new Set<Node>();
    const stack = this.fetches.map((v) => v.node);
    for (let node = stack.pop(); node; node = stack.pop()) {
      if (needed.has(node)) continue;
      needed.add(node);
      if (!this.fedNodes.has(node)) stack.push(...node.inputs.map((v) => v.node));
    }
    return this.graph.sorted().filter((node) => needed.has(node));
  }
}

const CONTROL = new Set(
  `Const Placeholder _Arg NoOp Assert PlaceholderWithDefault Switch Merge PartitionedCall StatefulPartitionedCall If
  StatelessIf Case StatelessCase While StatelessWhile`.split(/\s+/),
);

function canEvaluate(node: Node, functions: ReadonlyMap<string, FunctionGraph>): boolean {
  return (
    CONTROL.has(node.op) ||
    functions.has(node.op) ||
    listOps[node.op] !== undefined ||
    opRow(node.op)?.evaluate !== undefined
  );
}

function countReaders(order: readonly Node[], fetches: readonly Value[]): Map<Value, number> {
  const readers = new Map<Value, number>();
  for (const node of order) for (const v of new Set(node.inputs)) readers.set(v, (readers.get(v) ?? 0) + 1);
  // What is fetched is never forgotten.
  for (const v of fetches) readers.set(v, Infinity);
  return readers;
}

function merge(inputs: EdgeValue[]): EdgeValue[] {
  const live = inputs.findIndex((v) => v !== DEAD);
  if (live < 0) return [DEAD, DEAD];
  return [inputs[live], Tensor.scalar('int32', live)];
}

function tensorOf(value: EdgeValue): Tensor {
  if (!(value instanceof Tensor)) throw new CannotRun('a condition is no tensor');
  return value;
}

/** TensorFlow's truth: numbers other than zero, strings that are not empty, tensors of elements. */
function isTrue(tensor: Tensor): boolean {
  if (tensor.shape.length > 0) return tensor.size > 0;
  return tensor.dtype === 'string' ? tensor.strings[0].length > 0 : tensor.at(0) !== 0;
}

function listOf(branches: Attr | undefined): string[] {
  return branches?.kind === 'list'
    ? branches.value.flatMap((a) => (a.kind === 'func' ? [a.value.name] : []))
    : [];
}
