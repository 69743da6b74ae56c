/** Prints messages in text format, for round trips; TensorFlow's own printer is the reference for real files. */
import protobuf from 'protobufjs/light';
import type { Message, MessageName } from '../proto-schema';
import { messageType } from '../proto-types';

type Fields = Record<string, unknown>;

export function printText<N extends MessageName>(name: N, message: Message<N>): string {
  return fieldsOf(messageType(name), message as unknown as Fields, '');
}

function fieldsOf(type: protobuf.Type, message: Fields, indent: string): string {
  let out = '';
  for (const field of type.fieldsArray) {
    if (!Object.hasOwn(message, field.name)) continue;
    field.resolve();
    const value = message[field.name];
    if (field.map) {
      for (const [key, item] of Object.entries(value as Fields)) {
        const entry = `${indent}  key: ${quoted(Buffer.from(key))}\n${one(field, 'value', item, `${indent}  `)}`;
        out += `${indent}${field.name} {\n${entry}${indent}}\n`;
      }
    } else {
      for (const item of field.repeated ? (value as unknown[]) : [value])
        out += one(field, field.name, item, indent);
    }
  }
  return out;
}

function one(field: protobuf.Field, name: string, value: unknown, indent: string): string {
  if (field.resolvedType instanceof protobuf.Type) {
    return `${indent}${name} {\n${fieldsOf(field.resolvedType, value as Fields, `${indent}  `)}${indent}}\n`;
  }
  return `${indent}${name}: ${scalar(value)}\n`;
}

function scalar(value: unknown): string {
  if (typeof value === 'string') return quoted(Buffer.from(value));
  if (value instanceof Uint8Array) return quoted(value);
  if (typeof value !== 'number' || Number.isFinite(value)) return Object.is(value, -0) ? '-0' : String(value);
  return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
}

function quoted(bytes: Uint8Array): string {
  let out = '"';
  for (const b of bytes) {
    if (b === 0x22 || b === 0x5c) out += `\\${String.fromCharCode(b)}`;
    else if (b < 0x20 || b >= 0x7f) out += `\\${b.toString(8).padStart(3, '0')}`;
    else out += String.fromCharCode(b);
  }
  return `${out}"`;
}
