/**
 * TensorFlow's protobuf messages: binary decoding and encoding by the tables of proto-schema.ts.
 *
 * protobufjs does the wire work; what differs from its defaults is decided here, once:
 * - 64-bit integers are `bigint`, always, exact (no Long objects);
 * - `bytes` are views into the input, never copies: the input must stay alive and unchanged;
 * - maps have no prototype, so that a key such as `__proto__` or `constructor` is a key like others;
 * - an absent repeated field is one shared, frozen empty array;
 * - strings must be valid UTF-8, as in TensorFlow; unknown fields are skipped; nesting is limited;
 * - messages that are large and often of no interest (DEFERRED) are decoded when a field of theirs is first asked for;
 * - encoding writes maps sorted by key: the same message gives the same bytes.
 */
import protobuf from 'protobufjs/light';
import { FloeError } from '../diagnostics/diagnostic';
import { MAX_MESSAGE_BYTES } from '../bytes/limits';
import { damaged } from './file';
import {
  ENUMS,
  MESSAGES,
  type EnumName,
  type Message,
  type MessageInit,
  type MessageName,
} from './proto-schema';

export * from './proto-schema';

/** The package the types stand in; only seen in protobufjs' own messages. */
const PACKAGE = 'tensorflow';

const NO_BYTES = Buffer.alloc(0);

/**
 * Of the functions in a TF2 SavedModel the largest is the one that saves. Damage in a function is found when it is asked
 * for, and told as everywhere.
 */
const DEFERRED: readonly string[] = ['FunctionDef'] satisfies MessageName[];

let root: protobuf.Root | undefined;
const prepared = new Map<string, protobuf.Type>();

/** One line of the table as protobufjs' JSON descriptor wants it. */
interface FieldDescriptor {
  type: string;
  id: number;
  rule?: 'repeated';
  keyType?: string;
}

/** Turns the tables into protobufjs' descriptor and that into types, on first use. */
function schemaRoot(): protobuf.Root {
  if (root) return root;
  const nested: Record<string, protobuf.AnyNestedObject> = {};
  for (const [name, values] of Object.entries(ENUMS)) nested[name] = { values };
  for (const [name, rows] of Object.entries(MESSAGES)) {
    const fields: Record<string, FieldDescriptor> = {};
    const oneofs: Record<string, { oneof: string[] }> = {};
    for (const [field, row] of Object.entries(rows as Record<string, string>)) {
      const words = row.split(' ');
      const id = Number(words[words.length - 1]);
      if (words[0] === 'oneof') (oneofs[words[1]] ??= { oneof: [] }).oneof.push(field);
      if (words[0] === 'map') fields[field] = { keyType: words[1], type: words[2], id };
      else if (words[0] === 'repeated') fields[field] = { rule: 'repeated', type: words[1], id };
      else fields[field] = { type: words[words.length - 2], id };
    }
    nested[name] = { fields, oneofs };
  }
  root = protobuf.Root.fromJSON({
    nested: { [PACKAGE]: { edition: 'proto3', nested } as protobuf.INamespace },
  });
  return root;
}

/**
 * The protobufjs type of a message, ready for use: its fields (`fields`, `fieldsById`) describe the schema, its
 * `create()` makes an empty message as `decode` does.
 */
export function messageType(name: MessageName): protobuf.Type {
  let type = prepared.get(name);
  if (!type) {
    for (const each of Object.keys(MESSAGES)) {
      const one = schemaRoot().lookupType(`${PACKAGE}.${each}`);
      one.ctor = messageConstructor(one);
      generateOnUse(one);
      for (const field of one.fieldsArray) {
        if (field.repeated) continue;
        // protobufjs' defaults are a Long and an array.
        if (field.long) (one.ctor.prototype as Fields)[field.name] = 0n;
        if (field.bytes) (one.ctor.prototype as Fields)[field.name] = NO_BYTES;
      }
      prepared.set(each, one);
    }
    type = prepared.get(name)!;
  }
  return type;
}

/**
 * Lets a type generate its decoder and its encoder when each is first called. protobufjs itself generates with either
 * one the other, and three functions more that nothing here calls.
 */
function generateOnUse(type: protobuf.Type): void {
  const types = (): (protobuf.ReflectionObject | null)[] =>
    type.fieldsArray.map((f) => f.resolve().resolvedType);
  const { Reader, Writer, util } = protobuf;
  const decoder = (): typeof type.decode =>
    (protobuf.decoder(type) as Generated<typeof type.decode>)({ Reader, types: types(), util, C: type.ctor });
  type.decode = (...args) => {
    type.decode = DEFERRED.includes(type.name) ? deferring(type, decoder()) : decoder();
    return type.decode(...args);
  };
  type.encode = (...args) => {
    type.encode = (protobuf.encoder(type) as Generated<typeof type.encode>)({ Writer, types: types(), util });
    return type.encode(...args);
  };
}

/** Under which a deferred message gives the decoded one. */
const DECODED = Symbol('decoded');

/**
 * A decoder whose messages stay bytes until a field of theirs is asked for. A message within, as the signature that has
 * a function's name, is decoded without the rest.
 */
function deferring(type: protobuf.Type, decodeNow: typeof type.decode): typeof type.decode {
  class DeferredMessage extends protobuf.Message<object> {
    constructor(readonly reader: () => WireReader) {
      super();
    }

    get [DECODED](): Fields {
      return remember(this, DECODED, decodeAll(type, decodeNow, this.reader()));
    }
  }
  for (const { name, id, map, repeated, resolvedType } of type.fieldsArray) {
    const inner = !map && !repeated && resolvedType instanceof protobuf.Type ? resolvedType : undefined;
    Object.defineProperty(DeferredMessage.prototype, name, {
      get(this: DeferredMessage) {
        if (!inner || Object.hasOwn(this, DECODED)) return this[DECODED][name];
        return remember(
          this,
          name,
          decodeAll(type, (reader) => decodeOnly(reader, id, inner), this.reader()),
        );
      },
    });
  }
  return (given, length) => {
    const reader = given as WireReader;
    const { file, at, buf, pos, len } = reader;
    const end = length === undefined ? len : pos + length;
    reader.skip(end - pos);
    return new DeferredMessage(() => new WireReader(buf.subarray(pos, end), file, at + pos));
  };
}

/** The message in a field, without decoding the fields around it; null where there is none. */
function decodeOnly(reader: protobuf.Reader, id: number, type: protobuf.Type): protobuf.Message<object> {
  let found: unknown = null;
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === ((id << 3) | 2)) found = type.decode(reader, reader.uint32());
    else reader.skipType(tag & 7, 0, tag);
  }
  return found as protobuf.Message<object>;
}

/** Sets a property in place of the getter that made it. */
function remember<T>(object: object, key: string | symbol, value: T): T {
  Object.defineProperty(object, key, { value });
  return value;
}

/** What protobufjs makes of generated code: a function of what that refers to. */
type Generated<F> = (scope: object) => F;

/** A message object as `decode` makes them, from the fields given; the others have their defaults. */
export function create<N extends MessageName>(name: N, fields: Partial<Message<N>> = {}): Message<N> {
  return Object.assign(messageType(name).create(), fields) as unknown as Message<N>;
}

/** The number of an enum value's name; undefined when there is no such name. */
export function enumNumber(name: EnumName, value: string): number | undefined {
  const values: Readonly<Record<string, number>> = ENUMS[name];
  return Object.hasOwn(values, value) ? values[value] : undefined;
}

/** The name of an enum's value; undefined when the number has none. */
export function enumName(name: EnumName, value: number): string | undefined {
  return Object.entries(ENUMS[name]).find(([, number]) => number === value)?.[0];
}

/**
 * The class of a message type's objects. Unlike protobufjs' own it makes only the maps up front, without a
 * prototype: a TensorProto has thirteen repeated fields of which one is used.
 */
function messageConstructor(type: protobuf.Type): protobuf.Constructor<object> {
  const maps = type.fieldsArray.filter((f) => f.map).map((f) => f.name);
  const MessageClass = class extends protobuf.Message<object> {
    constructor() {
      super();
      for (const name of maps) (this as Record<string, unknown>)[name] = Object.create(null);
    }
  };
  return MessageClass as unknown as protobuf.Constructor<object>;
}

/** protobufjs' reader with 64-bit integers as bigint, views instead of copies, strict UTF-8. */
class WireReader extends protobuf.Reader {
  constructor(
    bytes: Uint8Array,
    readonly file: string,
    /** Where the bytes start in the file. */
    readonly at: number,
  ) {
    super(asBuffer(bytes));
    this.discardUnknown = true;
  }

  // Buffer's fast text decoding, missing from its type.
  declare buf: Buffer & { utf8Slice(start: number, end: number): string };

  override raw(start: number, end: number): Uint8Array {
    return this.buf.subarray(start, end);
  }

  override string(): string {
    const length = (this as unknown as { size(): number }).size();
    const start = this.pos;
    const end = start + length;
    if (end > this.len) throw new RangeError(`a string of ${length} bytes passes the end`);
    this.pos = end;
    const text = this.buf.utf8Slice(start, end);
    // U+FFFD stands for what cannot be decoded, unless the file itself says U+FFFD (EF BF BD).
    if (text.includes('\ufffd') && !isUtf8(this.buf.subarray(start, end))) {
      this.pos = start;
      throw new Error('a string is not valid UTF-8');
    }
    return text;
  }
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** A varint of up to ten bytes as an unsigned 64-bit integer; bits beyond the 64th fall away, as in C++. */
function readVarint64(reader: WireReader): bigint {
  const { buf, len } = reader;
  let pos = reader.pos;
  let low = 0;
  let scale = 1;
  // Seven bytes, 49 bits, are exact in a number; most values end here.
  for (let i = 0; i < 7; i++, scale *= 128) {
    if (pos >= len) throw new RangeError('a number passes the end');
    const byte = buf[pos++];
    low += (byte & 127) * scale;
    if (byte < 128) {
      reader.pos = pos;
      return BigInt(low);
    }
  }
  let high = 0;
  for (let i = 0; i < 3; i++) {
    if (pos >= len) throw new RangeError('a number passes the end');
    const byte = buf[pos++];
    high |= (byte & 127) << (7 * i);
    if (byte < 128) {
      reader.pos = pos;
      return BigInt.asUintN(64, (BigInt(high) << 49n) | BigInt(low));
    }
  }
  throw new Error('a number has more than ten bytes');
}

function readFixed64(reader: WireReader): bigint {
  if (reader.pos + 8 > reader.len) throw new RangeError('a number passes the end');
  const value = reader.buf.readBigUInt64LE(reader.pos);
  reader.pos += 8;
  return value;
}

// Not as methods of the class: protobufjs declares them to return its Long.
Object.assign(WireReader.prototype, {
  stringVerify: WireReader.prototype.string,
  uint64(this: WireReader) {
    return readVarint64(this);
  },
  int64(this: WireReader) {
    return BigInt.asIntN(64, readVarint64(this));
  },
  sint64(this: WireReader) {
    const v = readVarint64(this);
    return v & 1n ? -(v >> 1n) - 1n : v >> 1n;
  },
  fixed64(this: WireReader) {
    return readFixed64(this);
  },
  sfixed64(this: WireReader) {
    return BigInt.asIntN(64, readFixed64(this));
  },
});

/** A Buffer over the same memory. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * Decodes one binary message that fills `bytes`.
 *
 * @param file the name for error messages
 * @param at where `bytes` starts in that file, for the offsets of error messages
 * @throws FloeError S004 with the file and the byte offset; never another error
 */
export function decode<N extends MessageName>(name: N, bytes: Uint8Array, file: string, at = 0): Message<N> {
  const type = messageType(name);
  return decodeAll(type, type.decode, new WireReader(bytes, file, at)) as unknown as Message<N>;
}

function decodeAll(type: protobuf.Type, how: (reader: WireReader) => object, reader: WireReader): Fields {
  try {
    return how(reader) as Fields;
  } catch (error) {
    // A TypeError is a fault of Floe's, not of the file.
    if (error instanceof FloeError || error instanceof TypeError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw damaged(reader.file, reader.at + reader.pos, `not a whole ${type.name} message: ${reason}`);
  }
}

/** Writer counterpart of WireReader: takes bigint for 64-bit integers. */
class WireWriter extends protobuf.BufferWriter {}

/** The low and high halves in the shape in which protobufjs' writer takes 64-bit values. */
function halves(value: bigint | number): { low: number; high: number } {
  const v = BigInt.asUintN(64, BigInt(value));
  return { low: Number(v & 0xffffffffn), high: Number(v >> 32n) };
}

for (const method of ['int64', 'uint64', 'sint64', 'fixed64', 'sfixed64'] as const) {
  const base = protobuf.Writer.prototype[method] as (this: WireWriter, value: unknown) => WireWriter;
  const many = protobuf.Writer.prototype[`${method}s` as 'int64s'] as (
    this: WireWriter,
    v: unknown,
  ) => WireWriter;
  Object.assign(WireWriter.prototype, {
    [method](this: WireWriter, value: bigint) {
      return base.call(this, halves(value));
    },
    [`${method}s`](this: WireWriter, values: readonly bigint[]) {
      return many.call(this, Array.from(values, halves));
    },
  });
}

/**
 * Encodes a message (a decoded one or plain objects). Fields are written in the order of their numbers, maps
 * sorted by key, so that equal messages give equal bytes.
 *
 * @throws FloeError S010 when the message would be larger than a protobuf message can be
 */
export function encode<N extends MessageName>(name: N, message: MessageInit<N> | Message<N>): Buffer {
  const type = messageType(name);
  let bytes: Buffer | undefined;
  try {
    const writer = new WireWriter();
    type.encode(canonical(type, message as Fields) as unknown as protobuf.Message<object>, writer);
    bytes = writer.finish() as Buffer;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  if (!bytes || bytes.length > MAX_MESSAGE_BYTES) {
    throw new FloeError({
      code: 'S010',
      severity: 'error',
      message: `a ${name} of more than 2 GiB cannot be written as a protobuf message`,
    });
  }
  return bytes;
}

type Fields = Record<string, unknown>;

/**
 * The message with sorted maps and without zero 64-bit numbers (which protobufjs would write, as it knows only
 * its own zero); shares everything that already is so.
 */
function canonical(type: protobuf.Type, given: Fields): Fields {
  const message = (given as Partial<Record<typeof DECODED, Fields>>)[DECODED] ?? given;
  let copy: Fields | undefined;
  for (const field of type.fieldsArray) {
    const value = Object.hasOwn(message, field.name) ? message[field.name] : undefined;
    if (value === undefined || value === null) continue;
    field.resolve();
    const sub = field.resolvedType instanceof protobuf.Type ? field.resolvedType : undefined;
    let next: unknown = value;
    if (field.map) {
      const map = value as Fields;
      const sorted: Fields = Object.create(null);
      for (const key of Object.keys(map).sort())
        sorted[key] = sub ? canonical(sub, map[key] as Fields) : map[key];
      next = sorted;
    } else if (sub && field.repeated) {
      const list = value as Fields[];
      const done = list.map((one) => canonical(sub, one));
      next = done.some((one, i) => one !== list[i]) ? done : list;
    } else if (sub) {
      next = canonical(sub, value as Fields);
    } else if (value === 0n && !field.partOf) {
      next = undefined;
    }
    if (next !== value) (copy ??= { ...message })[field.name] = next;
  }
  return copy ?? message;
}
