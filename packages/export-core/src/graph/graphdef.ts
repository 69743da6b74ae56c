/** GraphDef messages to graphs. Writing them is write-graphdef.ts; function bodies are function-def.ts. */
import { Diagnostics } from '../diagnostics/diagnostic';
import { didYouMean } from '../diagnostics/suggest';
import type { AttrValue, GraphDef, Message, NodeDef } from '../format/proto';
import { readRange, type FileRange } from '../format/graphdef-file';
import { shapeFromProto, tensorFromProto } from '../format/tensor-proto';
import { dtypeFromCode, type DType } from '../tensor/dtype';
import { Tensor } from '../tensor/tensor';
import type { Attr } from './attr';
import { functionsFromProto } from './function-def';
import { Graph, Node } from './graph';

/** No op has more outputs than this: what a file claims beyond is an error, not memory. */
export const MAX_OUTPUTS = 1 << 20;

/** How many problems of one graph are told. */
const MAX_PROBLEMS = 50;

/** What a file has beside its GraphDef that says how to read that. */
export interface Beside {
  /** Constants whose elements were left in the file. */
  contents?: ReadonlyMap<string, FileRange>;
  saver?: Message<'SaverDef'> | null;
}

/**
 * The graph of a GraphDef, with the functions that it needs. Constants stay views into the message's bytes. Left out is
 * a call that saves variables: in a TF2 SavedModel of Keras a third of all nodes is in its function.
 *
 * @param file for diagnostics, and to read `contents` from
 * @throws FloeError with every G007: duplicate names, edges to nodes that do not exist, constants that make no sense
 */
export function graphFromDef(def: GraphDef, file: string, { contents, saver }: Beside = {}): Graph {
  const graph = new Graph();
  const problems = new Problems(file);
  if (def.versions) {
    graph.versions = {
      producer: def.versions.producer,
      minConsumer: def.versions.min_consumer,
      badConsumers: [...def.versions.bad_consumers],
    };
  }
  readNodes(graph, withoutSaving(def.node, saver), problems);
  for (const [name, range] of contents ?? []) leaveInFile(graph, name, range, problems);
  if (def.library) graph.functions = functionsFromProto(def.library, graph, problems);
  problems.throwIfAny();
  return graph;
}

/** The nodes without the function call that a SaverDef names to save, if nothing reads it. */
function withoutSaving(nodes: readonly NodeDef[], saver: Beside['saver']): readonly NodeDef[] {
  const name = saver && parseInput(saver.save_tensor_name).name;
  const saving = nodes.find((node) => node.name === name);
  if (saving?.op !== 'StatefulPartitionedCall') return nodes;
  const isRead = nodes.some((node) => node.input.some((text) => parseInput(text).name === name));
  return isRead ? nodes : nodes.filter((node) => node !== saving);
}

/** Lets a constant read its elements from the file when they are asked for. */
function leaveInFile(graph: Graph, name: string, range: FileRange, problems: Problems): void {
  const node = graph.nodes.get(name);
  const value = node?.attrs.get('value');
  if (value?.kind !== 'tensor') return;
  const { dtype, shape, byteLength } = value.value;
  if (byteLength !== range.length) {
    problems.add(`constant "${name}" of ${byteLength} bytes has ${range.length}`, name);
    return;
  }
  const tensor = Tensor.deferred(dtype, shape, () => readRange(problems.file, range));
  node?.attrs.set('value', { kind: 'tensor', value: tensor });
}

/** Collects what is wrong with a graph, up to a limit. */
export class Problems {
  readonly diagnostics = new Diagnostics();

  constructor(readonly file: string) {}

  add(message: string, node: string, hint?: string): void {
    if (this.diagnostics.list.length >= MAX_PROBLEMS) return;
    this.diagnostics.error('G007', message, { node, hint, where: { file: this.file } });
  }

  throwIfAny(): void {
    this.diagnostics.throwIfErrors();
  }
}

/** An input as a NodeDef writes it: `name`, `name:1` or `^name`. */
export interface InputRef {
  name: string;
  index: number;
  control: boolean;
}

export function parseInput(text: string): InputRef {
  if (text.startsWith('^')) return { name: text.slice(1), index: 0, control: true };
  const colon = text.lastIndexOf(':');
  const index = colon > 0 ? Number(text.slice(colon + 1)) : NaN;
  if (Number.isInteger(index) && index >= 0) return { name: text.slice(0, colon), index, control: false };
  return { name: text, index: 0, control: false };
}

/** Adds NodeDefs to a graph and joins them by their inputs' names. */
export function readNodes(graph: Graph, defs: readonly NodeDef[], problems: Problems): void {
  for (const def of defs) {
    if (graph.nodes.has(def.name)) problems.add(`two nodes are named "${def.name}"`, def.name);
    else graph.nodes.set(def.name, nodeFromDef(def, problems));
  }
  for (const def of defs) {
    const node = graph.nodes.get(def.name)!;
    if (node.inputs.length || node.controls.length) continue;
    for (const text of def.input) {
      const { name, index, control } = parseInput(text);
      const source = graph.nodes.get(name);
      if (!source)
        problems.add(
          `"${def.name}" (${def.op}) reads "${text}", which is not in the graph`,
          def.name,
          didYouMean(
            name,
            [...graph.nodes.keys()].filter((other) => other !== def.name),
          ),
        );
      else if (control) node.controls.push(source);
      else if (index >= MAX_OUTPUTS)
        problems.add(`"${def.name}" (${def.op}) reads "${text}": no op has that many outputs`, def.name);
      else node.inputs.push(source.output(index));
    }
  }
}

/** A node without its inputs. */
export function nodeFromDef(def: NodeDef, problems: Problems): Node {
  const node = new Node(def.name, def.op);
  node.device = def.device;
  for (const [key, value] of Object.entries(def.attr)) {
    try {
      const attr = attrFromProto(value);
      if (attr) node.attrs.set(key, attr);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      problems.add(`attribute "${key}" of "${def.name}" (${def.op}): ${error.message}`, def.name);
    }
  }
  return node;
}

/** An AttrValue; undefined when none of its fields is set. Throws RangeError for a constant that makes no sense. */
export function attrFromProto(proto: AttrValue): Attr | undefined {
  switch (proto.value) {
    case 's':
      return { kind: 'string', value: proto.s };
    case 'i':
      return { kind: 'int', value: proto.i };
    case 'f':
      return { kind: 'float', value: proto.f };
    case 'b':
      return { kind: 'bool', value: proto.b };
    case 'type':
      return { kind: 'type', value: typeOf(proto.type) };
    case 'shape':
      return { kind: 'shape', value: shapeFromProto(proto.shape) };
    case 'tensor':
      return { kind: 'tensor', value: tensorFromProto(proto.tensor!) };
    case 'placeholder':
      return { kind: 'placeholder', value: proto.placeholder };
    case 'func':
      return { kind: 'func', value: { name: proto.func!.name, attrs: attrsFromProto(proto.func!.attr) } };
    case 'list': {
      const list = proto.list!;
      // At most one of the lists holds anything.
      const items: Attr[] = [
        ...list.s.map((value): Attr => ({ kind: 'string', value })),
        ...list.i.map((value): Attr => ({ kind: 'int', value })),
        ...list.f.map((value): Attr => ({ kind: 'float', value })),
        ...list.b.map((value): Attr => ({ kind: 'bool', value })),
        ...list.type.map((value): Attr => ({ kind: 'type', value: typeOf(value) })),
        ...list.shape.map((value): Attr => ({ kind: 'shape', value: shapeFromProto(value) })),
        ...list.tensor.map((value): Attr => ({ kind: 'tensor', value: tensorFromProto(value) })),
        ...list.func.map((f): Attr => ({
          kind: 'func',
          value: { name: f.name, attrs: attrsFromProto(f.attr) },
        })),
      ];
      return { kind: 'list', value: items };
    }
    default:
      return undefined;
  }
}

export function attrsFromProto(protos: Readonly<Record<string, AttrValue>>): Map<string, Attr> {
  const attrs = new Map<string, Attr>();
  for (const [key, value] of Object.entries(protos)) {
    const attr = attrFromProto(value);
    if (attr) attrs.set(key, attr);
  }
  return attrs;
}

function typeOf(code: number): DType {
  const dtype = dtypeFromCode(code);
  if (!dtype) throw new RangeError(`dtype number ${code} is unknown`);
  return dtype;
}
