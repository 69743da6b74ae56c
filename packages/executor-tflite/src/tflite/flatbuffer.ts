/**
 * Flatbuffer tables to plain objects and back, driven by the schema data. Enums are their member names; a union is
 * `{ type, ...fields }`; absent fields read as their defaults.
 */
import { type Builder, type ByteBuffer, SIZEOF_INT } from 'flatbuffers';
import {
  enumName,
  enumStorage,
  enumValue,
  isEnum,
  isTable,
  tableFields,
  unionMembers,
  type Field,
} from './schema';

export type FlatValue =
  number | bigint | boolean | string | Uint8Array | FlatObject | FlatValue[] | number[] | bigint[];
export interface FlatObject {
  [field: string]: FlatValue | undefined;
}

/** Tables nest this deep at most. */
const MAX_DEPTH = 32;

// ------------------------------------------------------------------ writing

/** Writes a table (children first, as flatbuffers need) and gives its offset. Fields at their default are left out. */
export function writeTable(builder: Builder, table: string, object: FlatObject): number {
  const parts = tableFields(table)
    .filter((f) => object[f.name] !== undefined)
    .map((field) => ({ field, ...prepare(builder, field, object[field.name] as FlatValue) }));
  const last = tableFields(table).at(-1);
  builder.startObject(last ? last.slot + 1 : 0);
  // Larger scalars first, so that alignment wastes least.
  parts.sort((a, b) => b.size - a.size || a.field.slot - b.field.slot);
  for (const part of parts) part.add();
  return builder.endObject();
}

function prepare(builder: Builder, field: Field, value: FlatValue): { size: number; add: () => void } {
  const { type, slot } = field;
  const scalarType = isEnum(type) ? enumStorage(type) : type;
  const members = unionMembers(type);
  if (members) {
    const { type: member, ...rest } = value as FlatObject;
    const number = members.indexOf(member as string);
    const offset = writeTable(builder, member as string, rest);
    return {
      size: 4,
      add: () => {
        builder.addFieldInt8(slot - 1, number, 0);
        builder.addFieldOffset(slot, offset, 0);
      },
    };
  }
  if (type === 'string') {
    const offset = builder.createString(value as string);
    return { size: 4, add: () => builder.addFieldOffset(slot, offset, 0) };
  }
  if (type.startsWith('[')) {
    const offset = writeVector(builder, type.slice(1, -1), value as FlatValue[]);
    return { size: 4, add: () => builder.addFieldOffset(slot, offset, 0) };
  }
  if (isTable(type)) {
    const offset = writeTable(builder, type, value as FlatObject);
    return { size: 4, add: () => builder.addFieldOffset(slot, offset, 0) };
  }
  const number = isEnum(type) ? enumNumber(type, value) : value;
  return scalarWriter(builder, scalarType, slot, number as number | bigint | boolean, field.defaultValue);
}

/** `#7` stands for a member this schema has no name for. */
export function enumNumber(type: string, value: FlatValue): number {
  if (typeof value === 'string')
    return value.startsWith('#') ? Number(value.slice(1)) : enumValue(type, value);
  return value as number;
}

function scalarWriter(
  builder: Builder,
  type: string,
  slot: number,
  value: number | bigint | boolean,
  defaultValue: number,
): { size: number; add: () => void } {
  switch (type) {
    case 'bool':
    case 'byte':
    case 'ubyte':
      return { size: 1, add: () => builder.addFieldInt8(slot, Number(value), defaultValue) };
    case 'short':
    case 'ushort':
      return { size: 2, add: () => builder.addFieldInt16(slot, Number(value), defaultValue) };
    case 'int':
    case 'uint':
      return { size: 4, add: () => builder.addFieldInt32(slot, Number(value), defaultValue) };
    case 'long':
    case 'ulong':
      return { size: 8, add: () => builder.addFieldInt64(slot, BigInt(value), BigInt(defaultValue)) };
    case 'float':
      return { size: 4, add: () => builder.addFieldFloat32(slot, Number(value), defaultValue) };
    default:
      throw new TypeError(`no scalar type ${type}`);
  }
}

function writeVector(builder: Builder, type: string, values: FlatValue[] | Uint8Array): number {
  if (values instanceof Uint8Array) return builder.createByteVector(values);
  if (type === 'string') return stringVector(builder, values);
  if (isTable(type)) {
    const offsets = values.map((v) => writeTable(builder, type, v as FlatObject));
    return offsetVector(builder, offsets);
  }
  const scalar = isEnum(type) ? enumStorage(type) : type;
  const size =
    scalar === 'long' || scalar === 'ulong'
      ? 8
      : scalar === 'short' || scalar === 'ushort'
        ? 2
        : /^(bool|u?byte)$/.test(scalar)
          ? 1
          : 4;
  builder.startVector(size, values.length, size);
  for (let i = values.length - 1; i >= 0; i--) {
    const value = isEnum(type) ? enumNumber(type, values[i]) : values[i];
    if (size === 8) builder.addInt64(BigInt(value as number));
    else if (scalar === 'float') builder.addFloat32(value as number);
    else if (size === 4) builder.addInt32(value as number);
    else if (size === 2) builder.addInt16(value as number);
    else builder.addInt8(Number(value));
  }
  return builder.endVector();
}

function offsetVector(builder: Builder, offsets: number[]): number {
  builder.startVector(SIZEOF_INT, offsets.length, SIZEOF_INT);
  for (let i = offsets.length - 1; i >= 0; i--) builder.addOffset(offsets[i]);
  return builder.endVector();
}

function stringVector(builder: Builder, values: FlatValue[]): number {
  return offsetVector(
    builder,
    values.map((v) => builder.createString(v as string)),
  );
}

// ------------------------------------------------------------------ reading

/** A file that does not hold what its offsets promise. */
export class FlatbufferError extends Error {
  constructor(
    message: string,
    readonly offset: number,
  ) {
    super(message);
    this.name = 'FlatbufferError';
  }
}

/** Position of the root table. */
export function rootPosition(bb: ByteBuffer): number {
  return follow(bb, 0);
}

/** How deep the reader stands, and how much more it believes. */
interface Extent {
  depth: number;
  /** Shared by all of one file: tables and elements, of which an honest file has fewer than bytes. */
  budget: { left: number };
}

/**
 * Reads the table at `position`. Every offset is checked against the buffer's end, and what is read in all against
 * its size: a small file whose offsets all point at one place could say as much as a huge one. Byte vectors are views
 * into the buffer, not copies.
 */
export function readTable(
  bb: ByteBuffer,
  table: string,
  position: number,
  extent: Extent = { depth: 0, budget: { left: bb.capacity() } },
): FlatObject {
  const { depth, budget } = extent;
  if (depth > MAX_DEPTH) throw new FlatbufferError(`tables nest more than ${MAX_DEPTH} deep`, position);
  spend(budget, 1, position);
  const inner = { depth: depth + 1, budget };
  const object: FlatObject = {};
  for (const field of tableFields(table)) {
    const value = readField(bb, field, position, inner);
    if (value !== undefined) object[field.name] = value;
  }
  return object;
}

/** Position of a field's value, or 0 when it is absent. */
export function fieldPosition(bb: ByteBuffer, position: number, slot: number): number {
  check(bb, position, 4);
  const vtable = position - bb.readInt32(position);
  check(bb, vtable, 4);
  const size = bb.readUint16(vtable);
  const entry = 4 + 2 * slot;
  if (entry + 2 > size) return 0;
  check(bb, vtable + entry, 2);
  const offset = bb.readUint16(vtable + entry);
  return offset ? position + offset : 0;
}

function readField(bb: ByteBuffer, field: Field, position: number, extent: Extent): FlatValue | undefined {
  const at = fieldPosition(bb, position, field.slot);
  const { type } = field;
  const members = unionMembers(type);
  if (members) {
    const typeAt = fieldPosition(bb, position, field.slot - 1);
    if (!at || !typeAt) return undefined;
    check(bb, typeAt, 1);
    const member = members[bb.readUint8(typeAt)];
    if (member === undefined || member === 'NONE') return undefined;
    return { type: member, ...readTable(bb, member, follow(bb, at), extent) };
  }
  if (type === 'string') return at ? readString(bb, follow(bb, at)) : undefined;
  if (type.startsWith('[')) return at ? readVector(bb, type.slice(1, -1), follow(bb, at), extent) : undefined;
  if (isTable(type)) return at ? readTable(bb, type, follow(bb, at), extent) : undefined;
  const scalar = isEnum(type) ? enumStorage(type) : type;
  const number = at ? readScalar(bb, scalar, at) : field.defaultValue;
  if (isEnum(type)) return enumName(type, Number(number));
  return type === 'bool' ? Boolean(number) : number;
}

const SCALAR_SIZE: Record<string, number> = {
  bool: 1,
  byte: 1,
  ubyte: 1,
  short: 2,
  ushort: 2,
  long: 8,
  ulong: 8,
};

function readScalar(bb: ByteBuffer, type: string, at: number): number | bigint {
  check(bb, at, SCALAR_SIZE[type] ?? 4);
  switch (type) {
    case 'byte':
      return bb.readInt8(at);
    case 'bool':
    case 'ubyte':
      return bb.readUint8(at);
    case 'short':
      return bb.readInt16(at);
    case 'ushort':
      return bb.readUint16(at);
    case 'uint':
      return bb.readUint32(at);
    case 'long':
      return bb.readInt64(at);
    case 'ulong':
      return bb.readUint64(at);
    case 'float':
      return bb.readFloat32(at);
    default:
      return bb.readInt32(at);
  }
}

function readVector(bb: ByteBuffer, type: string, at: number, extent: Extent): FlatValue {
  check(bb, at, 4);
  const count = bb.readUint32(at);
  const scalar = isEnum(type) ? enumStorage(type) : type;
  const size = type === 'string' || isTable(type) ? 4 : (SCALAR_SIZE[scalar] ?? 4);
  check(bb, at + 4, count * size);
  if (type === 'ubyte') return bb.bytes().subarray(at + 4, at + 4 + count);
  spend(extent.budget, count, at);
  const out: FlatValue[] = new Array<FlatValue>(count);
  for (let i = 0; i < count; i++) {
    const item = at + 4 + i * size;
    if (type === 'string') out[i] = readString(bb, follow(bb, item));
    else if (isTable(type)) out[i] = readTable(bb, type, follow(bb, item), extent);
    else {
      const number = readScalar(bb, scalar, item);
      out[i] = isEnum(type) ? enumName(type, Number(number)) : type === 'bool' ? Boolean(number) : number;
    }
  }
  return out;
}

function readString(bb: ByteBuffer, at: number): string {
  check(bb, at, 4);
  const length = bb.readUint32(at);
  check(bb, at + 4, length);
  return Buffer.from(bb.bytes().subarray(at + 4, at + 4 + length)).toString('utf8');
}

function follow(bb: ByteBuffer, at: number): number {
  check(bb, at, 4);
  const target = at + bb.readUint32(at);
  check(bb, target, 4);
  return target;
}

function spend(budget: { left: number }, count: number, at: number): void {
  budget.left -= count;
  if (budget.left < 0) throw new FlatbufferError('its parts repeat more often than its size allows', at);
}

function check(bb: ByteBuffer, at: number, size: number): void {
  if (at < 0 || at + size > bb.capacity()) {
    throw new FlatbufferError(`the file ends before the ${size} bytes at offset ${at}`, at);
  }
}
