/**
 * Writes a graph as a GraphDef, in pieces that need no joining: large constants go from where they lie to the file.
 *
 *   0a len NodeDef | 0a len NodeDef | … | 12 len FunctionDefLibrary | 22 len VersionDef
 *
 * Within a Const's NodeDef the bytes of its tensor stand last, so that one copy-free piece follows its head.
 */
import type { Piece } from '../keys/atomic';
import { encode, type MessageInit } from '../format/proto';
import { shapeToProto, tensorHead, tensorToProto } from '../format/tensor-proto';
import { dtypeCode, type DType } from '../tensor/dtype';
import { outputTypes } from '../ops/op-def';
import type { Attr } from './attr';
import { functionToProto } from './function-def';
import type { FunctionGraph, Graph, Node, Value } from './graph';

/** Constants up to this size are encoded with their node; larger ones become pieces of their own. */
const SMALL_BYTES = 1 << 14;

/** The file's pieces, in order. The bytes depend on the graph alone. */
export function writeGraphDef(graph: Graph): Piece[] {
  const pieces: Piece[] = [];
  for (const node of graph.nodes.values()) pieces.push(...nodePieces(node));
  const functions = [...graph.functions.values()];
  const { producer, minConsumer, badConsumers } = graph.versions;
  pieces.push(
    encode('GraphDef', {
      ...(functions.length
        ? { library: { function: functions.map((f) => functionToProto(f, functionTypes(f))) } }
        : {}),
      versions: { producer, min_consumer: minConsumer, bad_consumers: badConsumers },
    }),
  );
  return pieces;
}

function functionTypes(f: FunctionGraph): { args: DType[]; results: DType[] } {
  const dtype = (value: Value) => value.dtype ?? outputTypes(value.node)?.[value.index] ?? 'variant';
  return { args: f.args.map((a) => dtype(a.output())), results: f.results.map(dtype) };
}

function nodePieces(node: Node): Piece[] {
  const tensor = node.constant;
  if (!tensor || tensor.dtype === 'string' || tensor.splatElement || tensor.byteLength <= SMALL_BYTES) {
    return lengthDelimited(1, [encode('NodeDef', nodeToProto(node, outsideName))]);
  }
  // Not even looked at here: the elements may be in a file, to be read once.
  const rest = new Map(node.attrs);
  rest.delete('value');
  const head = encode('NodeDef', nodeToProto(node, outsideName, rest));
  const tensorPieces = [encode('TensorProto', tensorHead(tensor)), ...lengthDelimited(4, [tensor])];
  // NodeDef.attr (5) is a map entry { key (1) = "value", value (2) = AttrValue { tensor (8) } }.
  const entry = [
    ...lengthDelimited(1, [Buffer.from('value')]),
    ...lengthDelimited(2, lengthDelimited(8, tensorPieces)),
  ];
  return lengthDelimited(1, [head, ...lengthDelimited(5, entry)]);
}

/** The bytes of a file in pieces. */
export function sizeOf(pieces: readonly Piece[]): number {
  return pieces.reduce((n, piece) => n + piece.byteLength, 0);
}

/** A length-delimited protobuf field around pieces. */
export function lengthDelimited(field: number, pieces: Piece[]): Piece[] {
  const length = sizeOf(pieces);
  const head = [(field << 3) | 2];
  for (let rest = length; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) {
      head.push(rest);
      break;
    }
    head.push((rest % 128) | 128);
  }
  return [Uint8Array.from(head), ...pieces];
}

/** `name` for output 0, `name:1` for others. */
function outsideName(value: Value): string {
  return value.index === 0 ? value.node.name : `${value.node.name}:${value.index}`;
}

/** A node as a message; `name` says how its inputs are called. */
export function nodeToProto(
  node: Node,
  name: (value: Value) => string,
  attrs: ReadonlyMap<string, Attr> = node.attrs,
): MessageInit<'NodeDef'> {
  return {
    name: node.name,
    op: node.op,
    input: [...node.inputs.map(name), ...node.controls.map((c) => `^${c.name}`)],
    device: node.device,
    attr: attrsToProto(attrs),
  };
}

export function attrsToProto(attrs: ReadonlyMap<string, Attr>): Record<string, MessageInit<'AttrValue'>> {
  return Object.fromEntries([...attrs].map(([key, value]) => [key, attrToProto(value)]));
}

function attrToProto(attr: Attr): MessageInit<'AttrValue'> {
  switch (attr.kind) {
    case 'string':
      return { s: attr.value };
    case 'int':
      return { i: attr.value };
    case 'float':
      return { f: attr.value };
    case 'bool':
      return { b: attr.value };
    case 'type':
      return { type: dtypeCode(attr.value) };
    case 'shape':
      return { shape: shapeToProto(attr.value) };
    case 'tensor':
      return { tensor: tensorToProto(attr.value) };
    case 'placeholder':
      return { placeholder: attr.value };
    case 'func':
      return { func: { name: attr.value.name, attr: attrsToProto(attr.value.attrs) } };
    case 'list': {
      const pick = <K extends Attr['kind']>(kind: K) =>
        attr.value.filter((a): a is Extract<Attr, { kind: K }> => a.kind === kind).map((a) => a.value);
      return {
        list: {
          s: pick('string') as Uint8Array[],
          i: pick('int') as bigint[],
          f: pick('float') as number[],
          b: pick('bool') as boolean[],
          type: (pick('type') as DType[]).map(dtypeCode),
          shape: (pick('shape') as never[]).map(shapeToProto),
          tensor: (pick('tensor') as never[]).map(tensorToProto),
          func: (pick('func') as { name: string; attrs: Map<string, Attr> }[]).map((f) => ({
            name: f.name,
            attr: attrsToProto(f.attrs),
          })),
        },
      };
    }
  }
}
