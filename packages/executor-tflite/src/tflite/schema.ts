/**
 * The .tflite format as data: enums, unions and tables of the schema, and which runtime brought which version of an
 * operator. `schema.json` is written by scripts/generate-tflite-schema.py.
 */

/** [name, type, default?]; a type is a scalar, `string`, an enum, a table, a union, or `[…]` of one of them. */
export type FieldRow = [name: string, type: string, defaultValue?: number | string];

interface SchemaJson {
  enums: Record<string, Record<string, number>>;
  storage: Record<string, string>;
  unions: Record<string, string[]>;
  tables: Record<string, FieldRow[]>;
  runtime: Record<string, Record<string, string>>;
}

const SCHEMA = require('./schema.json') as SchemaJson;

export const SCALARS = new Set([
  'bool',
  'byte',
  'ubyte',
  'short',
  'ushort',
  'int',
  'uint',
  'long',
  'ulong',
  'float',
]);

export interface Field {
  name: string;
  /** Index in the table's vtable; a union takes two, its type's before its own. */
  slot: number;
  type: string;
  defaultValue: number;
}

const tables = new Map<string, Field[]>();

/** The fields of a table, with their vtable slots. */
export function tableFields(table: string): Field[] {
  let fields = tables.get(table);
  if (!fields) {
    let slot = 0;
    fields = SCHEMA.tables[table].map(([name, type, value]) => {
      if (type in SCHEMA.unions) slot++;
      const defaultValue = typeof value === 'string' ? SCHEMA.enums[type][value] : (value ?? 0);
      return { name, type, slot: slot++, defaultValue };
    });
    tables.set(table, fields);
  }
  return fields;
}

export function isEnum(type: string): boolean {
  return type in SCHEMA.enums;
}

/** The scalar type an enum is stored as. */
export function enumStorage(type: string): string {
  return SCHEMA.storage[type];
}

export function unionMembers(type: string): string[] | undefined {
  return SCHEMA.unions[type];
}

export function isTable(type: string): boolean {
  return type in SCHEMA.tables;
}

/** The number of an enum member. */
export function enumValue(type: string, member: string): number {
  const value = SCHEMA.enums[type]?.[member];
  if (value === undefined) throw new TypeError(`${type} has no member ${member}`);
  return value;
}

const names = new Map<string, Map<number, string>>();

/** The name of an enum value; files from a newer writer may hold values this schema does not know: `#NUMBER`. */
export function enumName(type: string, value: number): string {
  let map = names.get(type);
  if (!map) names.set(type, (map = new Map(Object.entries(SCHEMA.enums[type]).map(([n, v]) => [v, n]))));
  return map.get(value) ?? `#${value}`;
}

export function builtinOperators(): string[] {
  return Object.keys(SCHEMA.enums.BuiltinOperator);
}

/** The first TFLite runtime that has a version of an operator, such as `2.5.0`; undefined when none does. */
export function runtimeOf(operator: string, version: number): string | undefined {
  return SCHEMA.runtime[operator]?.[version];
}
