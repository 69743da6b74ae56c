/**
 * TensorFlow's protobuf messages: binary decoding and encoding by the tables of proto-schema.ts.
 *
 * protobufjs does the wire work; what differs from its defaults (proto-types.ts, proto-wire.ts, proto-deferred.ts):
 * - 64-bit integers are `bigint`, always, exact (no Long objects);
 * - `bytes` are views into the input, never copies: the input must stay alive and unchanged;
 * - maps have no prototype, so that a key such as `__proto__` or `constructor` is a key like others;
 * - an absent repeated field is one shared, frozen empty array;
 * - strings must be valid UTF-8, as in TensorFlow; unknown fields are skipped; nesting is limited;
 * - messages that are large and often of no interest are decoded when a field of theirs is first asked for;
 * - encoding writes maps sorted by key: the same message gives the same bytes.
 */
import protobuf from 'protobufjs/light';
import { FloeError } from '../diagnostics/diagnostic';
import { MAX_MESSAGE_BYTES } from '../bytes/limits';
import { decoded } from './proto-deferred';
import { ENUMS, type EnumName, type Message, type MessageInit, type MessageName } from './proto-schema';
import { messageType } from './proto-types';
import { decodeAll, WireReader, WireWriter, type Fields } from './proto-wire';

export * from './proto-schema';

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

/**
 * The message with sorted maps and without zero 64-bit numbers (which protobufjs would write, as it knows only
 * its own zero); shares everything that already is so.
 */
function canonical(type: protobuf.Type, given: Fields): Fields {
  const message = decoded(given);
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
