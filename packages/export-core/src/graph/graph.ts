/**
 * A TensorFlow graph in memory.
 *
 * Nodes point at the values they read; a value is one output of one node. Nodes keep the order of the file they
 * came from, which makes everything derived from them deterministic. Cycles occur: TF1 loops close one through
 * NextIteration.
 */
import type { Attr, FunctionRef } from './attr';
import { opDef, type OpDef } from '../ops/op-def';
import type { DType } from '../tensor/dtype';
import type { Shape } from '../tensor/shape';
import type { Tensor } from '../tensor/tensor';

/** One output of a node. */
export class Value {
  /** Filled in by shape inference; undefined before. */
  dtype?: DType;
  shape?: Shape;
  /**
   * For small integer tensors (shapes, sizes): the elements as far as inference knows them, although the tensor is
   * not constant, e.g. `[null, 49]` from Pack(StridedSlice(Shape(x)), 49).
   */
  partial?: (number | null)[];

  constructor(
    readonly node: Node,
    readonly index: number,
  ) {}

  /** The constant this is, also when it is read through identities (variables are: `v/read`). */
  get constant(): Tensor | undefined {
    let node = this.node;
    for (let hops = 0; hops < 64 && node.op === 'Identity' && node.inputs.length === 1; hops++) {
      node = node.inputs[0].node;
    }
    return node.constant;
  }

  /** TensorFlow's name of the tensor, `node:0`. */
  get name(): string {
    return `${this.node.name}:${this.index}`;
  }
}

export class Node {
  inputs: Value[] = [];
  /** Nodes that must run before this one (`^name` in a NodeDef). */
  controls: Node[] = [];
  attrs = new Map<string, Attr>();
  device = '';
  private readonly values: Value[] = [];

  constructor(
    public name: string,
    public op: string,
  ) {}

  /** Output `index`; outputs exist on demand, `outputCount` says how many the op has. */
  output(index = 0): Value {
    for (let i = this.values.length; i <= index; i++) this.values.push(new Value(this, i));
    return this.values[index];
  }

  /** The outputs that somebody asked for so far: of a custom op all that is known of their number. */
  get knownOutputs(): readonly Value[] {
    return this.values;
  }

  /** TensorFlow's definition of the op; undefined for custom ops. */
  get def(): OpDef | undefined {
    return opDef(this.op);
  }

  /** The attribute, or TensorFlow's default for it (files leave out attributes that equal their default). */
  attr(name: string): Attr | undefined {
    return this.attrs.get(name) ?? this.def?.attr(name)?.defaultValue;
  }

  private typed<K extends Attr['kind']>(name: string, kind: K): Extract<Attr, { kind: K }>['value'] {
    const attr = this.attr(name);
    if (attr?.kind !== kind)
      throw new GraphError(`attribute "${name}" of ${this.op} is missing or no ${kind}`, this);
    return attr.value as never;
  }

  /** An int attribute as a number; beyond 2^53 it loses precision (only random seeds are that large). */
  int(name: string): number {
    return Number(this.typed(name, 'int'));
  }
  float(name: string): number {
    return this.typed(name, 'float');
  }
  bool(name: string): boolean {
    return this.typed(name, 'bool');
  }
  string(name: string): string {
    return Buffer.from(this.typed(name, 'string')).toString('utf8');
  }
  type(name: string): DType {
    return this.typed(name, 'type');
  }
  shape(name: string): Shape {
    return this.typed(name, 'shape');
  }
  tensor(name: string): Tensor {
    return this.typed(name, 'tensor');
  }
  func(name: string): FunctionRef {
    return this.typed(name, 'func');
  }
  ints(name: string): number[] {
    return this.typed(name, 'list').map((a) => Number(a.value));
  }
  floats(name: string): number[] {
    return this.typed(name, 'list').map((a) => Number(a.value));
  }
  types(name: string): DType[] {
    return this.typed(name, 'list').map((a) => a.value as DType);
  }
  shapes(name: string): Shape[] {
    return this.typed(name, 'list').map((a) => a.value as Shape);
  }

  set(name: string, value: Attr): this {
    this.attrs.set(name, value);
    return this;
  }

  /** The tensor of a Const node. */
  get constant(): Tensor | undefined {
    const value = this.op === 'Const' ? this.attrs.get('value') : undefined;
    return value?.kind === 'tensor' ? value.value : undefined;
  }
}

/** A fault of the graph itself, at one node. */
export class GraphError extends Error {
  constructor(
    message: string,
    readonly node: Node,
  ) {
    super(message);
    this.name = 'GraphError';
  }
}

export interface GraphVersions {
  producer: number;
  minConsumer: number;
  badConsumers: number[];
}

export class Graph {
  /** In the order of the file. */
  readonly nodes = new Map<string, Node>();
  /** The function library: bodies of PartitionedCall, While, If and friends. */
  functions = new Map<string, FunctionGraph>();
  versions: GraphVersions = { producer: 0, minConsumer: 0, badConsumers: [] };

  node(name: string): Node | undefined {
    return this.nodes.get(name);
  }

  /** Adds a node; a name that is taken gets a suffix `_1`, `_2`, … */
  add(name: string, op: string, inputs: Value[] = [], attrs: Record<string, Attr> = {}): Node {
    const node = new Node(this.uniqueName(name), op);
    node.inputs = inputs;
    for (const [key, value] of Object.entries(attrs)) node.attrs.set(key, value);
    this.nodes.set(node.name, node);
    return node;
  }

  uniqueName(name: string): string {
    if (!this.nodes.has(name)) return name;
    for (let i = 1; ; i++) {
      const candidate = `${name}_${i}`;
      if (!this.nodes.has(candidate)) return candidate;
    }
  }

  /** Adds a Const node. */
  addConst(name: string, tensor: Tensor): Node {
    const node = this.add(name, 'Const', [], {
      dtype: { kind: 'type', value: tensor.dtype },
      value: { kind: 'tensor', value: tensor },
    });
    node.output().dtype = tensor.dtype;
    node.output().shape = [...tensor.shape];
    return node;
  }

  /** Turns a node into another op in place: its name and everybody who reads it stay. */
  become(node: Node, op: string, inputs: Value[], attrs: Record<string, Attr>): void {
    node.op = op;
    node.inputs = inputs;
    node.attrs = new Map(Object.entries(attrs));
  }

  /** Lets every reader of the keys of `replacements` read the mapped value instead (followed through chains). */
  replace(replacements: ReadonlyMap<Value, Value>): void {
    if (replacements.size === 0) return;
    for (const node of this.nodes.values()) {
      for (let i = 0; i < node.inputs.length; i++) {
        node.inputs[i] = followReplacements(replacements, node.inputs[i]);
      }
    }
  }

  /** Removes nodes. Nobody may read them any more; control edges to them are dropped. */
  remove(dead: ReadonlySet<Node>): void {
    if (dead.size === 0) return;
    for (const node of dead) this.nodes.delete(node.name);
    for (const node of this.nodes.values()) {
      if (node.controls.some((c) => dead.has(c))) node.controls = node.controls.filter((c) => !dead.has(c));
    }
  }

  /** For every node, the nodes that read one of its outputs, in graph order; a reader stands once. */
  consumers(): Map<Node, Node[]> {
    const map = new Map<Node, Node[]>();
    for (const node of this.nodes.values()) {
      for (const source of new Set(node.inputs.map((v) => v.node))) {
        const list = map.get(source);
        if (list) list.push(node);
        else map.set(source, [node]);
      }
    }
    return map;
  }

  /** Everything the given nodes need, through data and control edges. */
  ancestors(of: Iterable<Node>): Set<Node> {
    const seen = new Set<Node>(of);
    const stack = [...seen];
    for (let node = stack.pop(); node; node = stack.pop()) {
      for (const next of [...node.inputs.map((v) => v.node), ...node.controls]) {
        if (!seen.has(next)) {
          seen.add(next);
          stack.push(next);
        }
      }
    }
    return seen;
  }

  /**
   * Nodes so that each stands after what it reads; among the possible orders the one nearest to the file's. An edge
   * that closes a TF1 loop (from NextIteration) does not count. Iterative, so depth is no limit.
   */
  sorted(): Node[] {
    const order: Node[] = [];
    // False while what a node reads is still being visited. The walk makes no objects: every pass takes it.
    const done = new Map<Node, boolean>();
    const path: Node[] = [];
    const edges: number[] = [];
    const enter = (node: Node): void => {
      const state = done.get(node);
      if (state === true) return;
      if (state === false)
        throw new GraphError(`the graph has a cycle through "${node.name}" outside of loops`, node);
      done.set(node, false);
      path.push(node);
      edges.push(0);
    };
    for (const root of this.nodes.values()) {
      enter(root);
      while (path.length) {
        const node = path[path.length - 1];
        const source = isBackEdge(node) ? undefined : sourceOf(node, edges[edges.length - 1]++);
        if (source) enter(source);
        else {
          path.pop();
          edges.pop();
          done.set(node, true);
          order.push(node);
        }
      }
    }
    return order;
  }
}

/** The node at the end of edge `i`: data edges first, then control edges; undefined behind the last. */
function sourceOf({ inputs, controls }: Node, i: number): Node | undefined {
  return i < inputs.length ? inputs[i].node : controls[i - inputs.length];
}

/** NextIteration reads a value that is computed after it: the one edge that may close a cycle. */
function isBackEdge(node: Node): boolean {
  return node.op === 'NextIteration' || node.op === 'RefNextIteration';
}

export function followReplacements(replacements: ReadonlyMap<Value, Value>, value: Value): Value {
  let result = value;
  for (
    let hops = 0, next = replacements.get(result);
    next && hops < 100000;
    next = replacements.get(result), hops++
  ) {
    result = next;
  }
  return result;
}

/** The body of a function: a graph whose inputs are `Placeholder`-like argument nodes. */
export class FunctionGraph extends Graph {
  args: Node[] = [];
  /** What the function returns, in the order of its signature. */
  results: Value[] = [];
  resultNames: string[] = [];
  /** Nodes that must run although nothing reads them. */
  controlResults: Node[] = [];
  attrs = new Map<string, Attr>();

  constructor(readonly name: string) {
    super();
  }

  override replace(replacements: ReadonlyMap<Value, Value>): void {
    super.replace(replacements);
    this.results = this.results.map((value) => followReplacements(replacements, value));
  }
}
