/** The tables of proto-schema.ts as protobufjs' types, made on first use: each with its decoder, encoder and class. */
import protobuf from 'protobufjs/light';
import { DEFERRED, deferring } from './proto-deferred';
import { ENUMS, MESSAGES, type MessageName } from './proto-schema';
import type { Fields } from './proto-wire';

/** The package the types stand in; only seen in protobufjs' own messages. */
const PACKAGE = 'tensorflow';

const NO_BYTES = Buffer.alloc(0);

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

/** What protobufjs makes of generated code: a function of what that refers to. */
type Generated<F> = (scope: object) => F;

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
