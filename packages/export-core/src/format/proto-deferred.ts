/**
 * Messages that stay bytes until a field of theirs is asked for: those that are large and often of no interest. Of the
 * functions in a TF2 SavedModel the largest is the one that saves. Damage in a message is found when it is decoded, and
 * told as everywhere.
 */
import protobuf from 'protobufjs/light';
import type { MessageName } from './proto-schema';
import { decodeAll, WireReader, type Fields } from './proto-wire';

/** Types of which messages are decoded when a field is first asked for. */
export const DEFERRED: readonly string[] = ['FunctionDef'] satisfies MessageName[];

/** Under which a deferred message gives the decoded one. */
const DECODED = Symbol('decoded');

/**
 * A decoder whose messages stay bytes until a field of theirs is asked for. A message within, as the signature that has
 * a function's name, is decoded without the rest.
 */
export function deferring(type: protobuf.Type, decodeNow: typeof type.decode): typeof type.decode {
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

/** The message itself, decoded as a whole where it was deferred. */
export const decoded = (message: Fields): Fields =>
  (message as Partial<Record<typeof DECODED, Fields>>)[DECODED] ?? message;
