/**
 * The protobuf messages of TensorFlow's files, field by field: name, type, number.
 *
 * A field reads as in a .proto file, in one string: `[oneof <group>] [repeated] <type> <number>`, or
 * `map <key> <value> <number>`. Field names are TensorFlow's own (snake_case), so that they are the same in the
 * binary form, in the text form and in code. Message names are flat: TensorFlow's `TensorShapeProto.Dim` is
 * `TensorShapeDim` here; names of types are not part of any file. All messages are proto3.
 *
 * Not here: what nothing reads and what is long: debug information, the definitions of the ops that a graph uses,
 * the objects that a SavedModel was made of. They are skipped like unknown fields.
 */
import { ENUMS } from './proto-enums';
import { GRAPH_MESSAGES } from './proto-graph-messages';
import { SAVED_MESSAGES } from './proto-saved-messages';

export { ENUMS };

export const MESSAGES = { ...GRAPH_MESSAGES, ...SAVED_MESSAGES } as const;

/** Fields that exist but are left out above: the text form must know them to skip them. */
export const SKIPPED_FIELDS: Readonly<Record<string, readonly string[]>> = {
  GraphDef: ['debug_info'],
  NodeDef: ['experimental_debug_info', 'experimental_type'],
  MetaGraphDef: ['object_graph_def'],
  MetaInfoDef: ['stripped_op_list'],
};

type Messages = typeof MESSAGES;
type Enums = typeof ENUMS;

export type MessageName = keyof Messages;
export type EnumName = keyof Enums;

interface Scalars {
  double: number;
  float: number;
  int32: number;
  uint32: number;
  sint32: number;
  fixed32: number;
  int64: bigint;
  uint64: bigint;
  sint64: bigint;
  fixed64: bigint;
  bool: boolean;
  string: string;
  bytes: Uint8Array;
}

/** The type of one value: scalars, enum numbers, messages. */
type Value<T extends string> = T extends keyof Scalars
  ? Scalars[T]
  : T extends EnumName
    ? number
    : T extends MessageName
      ? Message<T>
      : never;

/** A message that is not there is null; a scalar that is not there has its default. */
type Single<T extends string> = T extends MessageName ? Message<T> | null : Value<T>;

type Field<F> = F extends `oneof ${string} ${infer T} ${number}`
  ? Single<T>
  : F extends `map ${string} ${infer V} ${number}`
    ? Readonly<Record<string, Value<V>>>
    : F extends `repeated ${infer T} ${number}`
      ? readonly Value<T>[]
      : F extends `${infer T} ${number}`
        ? Single<T>
        : never;

type OneofsOf<M> = { [K in keyof M]: M[K] extends `oneof ${infer O} ${string}` ? O : never }[keyof M];
type CasesOf<M, O extends string> = {
  [K in keyof M]: M[K] extends `oneof ${O} ${string}` ? K : never;
}[keyof M];

/**
 * A decoded message. Every field is there, with its default when the file has none. A oneof group adds a
 * property of its name that tells which of its fields is set: `attr.value === 'tensor'`.
 */
export type Message<N extends MessageName> = {
  [K in keyof Messages[N]]: Field<Messages[N][K]>;
} & {
  readonly [O in OneofsOf<Messages[N]> & string]: CasesOf<Messages[N], O> | undefined;
};

type InitValue<T extends string> = T extends MessageName ? MessageInit<T> : Value<T>;
type InitField<F> = F extends `oneof ${string} ${infer T} ${number}`
  ? InitValue<T> | null
  : F extends `map ${string} ${infer V} ${number}`
    ? Readonly<Record<string, InitValue<V>>>
    : F extends `repeated ${infer T} ${number}`
      ? readonly InitValue<T>[]
      : F extends `${infer T} ${number}`
        ? InitValue<T> | null
        : never;

/** A message to be encoded: plain objects, fields left out have their default. */
export type MessageInit<N extends MessageName> = {
  readonly [K in keyof Messages[N]]?: InitField<Messages[N][K]>;
};

export type GraphDef = Message<'GraphDef'>;
export type NodeDef = Message<'NodeDef'>;
export type AttrValue = Message<'AttrValue'>;
export type NameAttrList = Message<'NameAttrList'>;
export type TensorProto = Message<'TensorProto'>;
export type TensorShapeProto = Message<'TensorShapeProto'>;
export type FunctionDef = Message<'FunctionDef'>;
export type OpDef = Message<'OpDef'>;
export type MetaGraphDef = Message<'MetaGraphDef'>;
export type SignatureDef = Message<'SignatureDef'>;
export type TensorInfo = Message<'TensorInfo'>;
export type SavedModel = Message<'SavedModel'>;
export type TrackableObjectGraph = Message<'TrackableObjectGraph'>;
export type TensorSliceProto = Message<'TensorSliceProto'>;
