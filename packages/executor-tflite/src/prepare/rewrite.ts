/**
 * Rewriting nodes by rows, `{ op: (graph, node, b) => the values that take the place of its outputs }`.
 *
 * What a row adds is looked at again, so a row may use ops that other rows rewrite. The node that makes the result
 * takes the name of the node it replaces: outputs of the contract keep theirs.
 */
import {
  attr,
  Diagnostics,
  FunctionGraph,
  inferNode,
  Tensor,
  type Attr,
  type DType,
  type Graph,
  type Node,
  type OpDef,
  type Signature,
  type Value,
} from '@floe/export-core';

/** Undefined: the node stays as it is. */
export type Rewrite = (graph: Graph, node: Node, b: Rewriter) => Value[] | undefined;
export type RewriteTable = Record<string, Rewrite>;

/**
 * A number stands for a scalar and a list for a vector: of the type that the op wants there, which is that of the
 * other operands of its type, int32 for sizes and axes.
 */
export type Operand = Value | Tensor | number | readonly number[];

/** Adds nodes in place of one: fills in type attributes, infers shapes. */
export class Rewriter {
  readonly added: Node[] = [];

  constructor(
    private readonly graph: Graph,
    readonly node: Node,
    private readonly results: ReadonlySet<string> = new Set(),
  ) {}

  /** True when a node or the contract reads the value. */
  isUsed(value: Value): boolean {
    if (this.results.has(value.name)) return true;
    if (this.graph instanceof FunctionGraph && this.graph.results.includes(value)) return true;
    return [...this.graph.nodes.values()].some((n) => n.inputs.includes(value));
  }

  /** A node with its type attributes and counts filled in from the operands. */
  add(op: string, operands: readonly Operand[], attrs: Record<string, Attr> = {}): Node {
    const node = this.graph.add(`${this.node.name}/${op}`, op, [], attrs);
    if (node.def) {
      fillTypes(node, node.def, operands);
      // Before inference values have no types; a spelling of the same op names them alike.
      for (const { name, type, defaultValue } of node.def.attrs) {
        const same = type === 'type' && !defaultValue && !node.attrs.has(name) && this.node.attrs.get(name);
        if (same) node.set(name, same);
      }
    }
    node.inputs = operands.map((operand, i) => this.value(operand, wantedType(node, i, operands.length)));
    this.added.push(node);
    inferNode(node, new Diagnostics());
    return node;
  }

  /** The first output of a new node. */
  op(op: string, operands: readonly Operand[], attrs?: Record<string, Attr>): Value {
    return this.add(op, operands, attrs).output();
  }

  /** A node of an op that TensorFlow does not have and one lowering row takes. */
  builtin(op: string, operands: readonly Value[], like: Value, attrs: Record<string, Attr> = {}): Value {
    const value = this.op(op, operands, attrs);
    value.dtype = like.dtype;
    value.shape = like.shape;
    return value;
  }

  const(tensor: Tensor): Value {
    const node = this.graph.addConst(`${this.node.name}/const`, tensor);
    this.added.push(node);
    return node.output();
  }

  /** A scalar of a value's type. */
  scalar(like: Value, n: number): Value {
    return this.const(tensorOf(like.dtype ?? 'float32', [], [n]));
  }

  ints(values: readonly number[] | number): Value {
    return this.value(values, 'int32');
  }

  cast(x: Value, dtype: DType): Value {
    return x.dtype === dtype ? x : this.op('Cast', [x], { DstT: attr.type(dtype) });
  }

  private value(operand: Operand, dtype: DType): Value {
    if (typeof operand === 'number') return this.const(tensorOf(dtype, [], [operand]));
    if (operand instanceof Tensor) return this.const(operand);
    if ('node' in operand) return operand;
    return this.const(tensorOf(dtype, [operand.length], operand));
  }
}

/** Real numbers as a tensor of any type that has numbers. */
export function tensorOf(dtype: DType, shape: readonly number[], values: readonly number[]): Tensor {
  if (dtype === 'complex64')
    return Tensor.fromArray(dtype, shape, Float32Array.from(values.flatMap((v) => [v, 0])));
  if (dtype === 'complex128')
    return Tensor.fromArray(dtype, shape, Float64Array.from(values.flatMap((v) => [v, 0])));
  return Tensor.fromNumbers(dtype, shape, values);
}

/** The type attribute each operand stands under: `@T` of a list `*N:@T` for all its operands. */
export function argTypes(def: OpDef, count: number): string[] {
  const length = listLength(def, count);
  return def.inputs.flatMap(({ type }) => {
    if (!type.startsWith('*')) return [type];
    const of = type.startsWith('**') ? type : type.slice(type.indexOf(':') + 1);
    return new Array<string>(length).fill(of);
  });
}

/** How many of a node's operands each list takes; several lists are of one length. */
function listLength(def: OpDef, count: number): number {
  const lists = def.inputs.filter((a) => a.type.startsWith('*')).length;
  return lists === 0 ? 0 : (count - (def.inputs.length - lists)) / lists;
}

function fillTypes(node: Node, def: OpDef, operands: readonly Operand[]): void {
  const types = argTypes(def, operands.length);
  operands.forEach((operand, i) => {
    const dtype =
      typeof operand === 'object' && ('node' in operand || operand instanceof Tensor)
        ? operand.dtype
        : undefined;
    const type = types[i] ?? '';
    if (dtype && type.startsWith('@') && !node.attrs.has(type.slice(1)))
      node.set(type.slice(1), attr.type(dtype));
  });
  for (const { type } of def.inputs) {
    const [count] = type.slice(1).split(':');
    if (!type.startsWith('*')) continue;
    if (!type.startsWith('**')) node.set(count, attr.int(listLength(def, operands.length)));
    else if (!node.attrs.has(type.slice(2)))
      node.set(type.slice(2), attr.types(operands.map((v) => (v as Value).dtype ?? 'float32')));
  }
}

function wantedType(node: Node, i: number, count: number): DType {
  const type = node.def ? argTypes(node.def, count)[i] : undefined;
  if (!type) return 'int32';
  if (!type.startsWith('@')) return type as DType;
  const known = node.attr(type.slice(1));
  return known?.kind === 'type' ? known.value : 'int32';
}

/** Far above what rows need; a guard against rows that undo each other. */
const MAX_REWRITES = 1_000_000;

/**
 * Runs the rows over a graph until none applies. Shapes must have been inferred.
 *
 * @param signatures whose outputs rows must not lose; see `Rewriter.isUsed`
 */
export function applyRewrites(
  graph: Graph,
  table: RewriteTable,
  signatures: readonly Signature[] = [],
): void {
  const outputs = new Set(signatures.flatMap((s) => s.outputs.map((o) => o.tensor)));
  const has = (op: string) => Object.hasOwn(table, op);
  const work = graph.sorted().filter((n) => has(n.op));
  for (let i = 0; i < work.length && i < MAX_REWRITES; i++) {
    const node = work[i];
    if (graph.node(node.name) !== node || !has(node.op)) continue;
    const b = new Rewriter(graph, node, outputs);
    const results = table[node.op](graph, node, b);
    if (!results) {
      drop(graph, b.added);
      continue;
    }
    replace(graph, node, results, b.added);
    work.push(...[node, ...b.added].filter((n) => has(n.op)));
  }
}

/** Takes nodes away that a row has just added: nobody waits for them yet, so that no other node need be asked. */
function drop(graph: Graph, added: readonly Node[]): void {
  for (const { name } of added) graph.nodes.delete(name);
}

/** Lets a node give other values: it becomes the node that makes them, or an identity of them. */
export function replace(
  graph: Graph,
  node: Node,
  results: readonly Value[],
  added: readonly Node[] = [],
): void {
  const [first] = results;
  const maker = first.node;
  const readers = added.filter((n) => n.inputs.some((v) => v.node === maker));
  if (results.length === 1 && added.includes(maker) && first.index === 0 && readers.length === 0) {
    const { dtype, shape } = first;
    drop(graph, [maker]);
    graph.become(node, maker.op, maker.inputs, Object.fromEntries(maker.attrs));
    Object.assign(node.output(), { dtype, shape, partial: first.partial });
    return;
  }
  const types = results.map((v) => v.dtype ?? 'float32');
  if (results.length === 1) graph.become(node, 'Identity', [first], { T: attr.type(types[0]) });
  else graph.become(node, 'IdentityN', [...results], { T: attr.types(types) });
  results.forEach(({ dtype, shape, partial }, i) => Object.assign(node.output(i), { dtype, shape, partial }));
}
