/**
 * TensorFlow's op registry as data: argument and attribute names, types and defaults of every op.
 * `op-defs.json` is written by scripts/dump-op-defs.py, which describes its form.
 */
import type { Attr } from '../graph/attr';
import { attr as make } from '../graph/attr';
import type { Node } from '../graph/graph';
import type { DType } from '../tensor/dtype';
import type { Shape } from '../tensor/shape';

interface OpDefJson {
  i: [string, string, 1?][];
  o: [string, string, 1?][];
  a: [string, string, unknown?][];
  s?: 1;
}

export interface ArgDef {
  name: string;
  /** A dtype name, `@T`, `*N:type` or `**T`; see scripts/dump-op-defs.py. */
  type: string;
  isRef: boolean;
}

export interface AttrDef {
  name: string;
  /** `int`, `float`, `string`, `bool`, `type`, `shape`, `tensor`, `func` or `list(…)` of one of them. */
  type: string;
  defaultValue?: Attr;
}

export class OpDef {
  readonly inputs: ArgDef[];
  readonly outputs: ArgDef[];
  readonly attrs: AttrDef[];
  /** The op has state or side effects: never folded, never merged. */
  readonly stateful: boolean;

  constructor(
    readonly name: string,
    json: OpDefJson,
  ) {
    const arg = ([argName, type, ref]: [string, string, 1?]): ArgDef => ({
      name: argName,
      type,
      isRef: ref === 1,
    });
    this.inputs = json.i.map(arg);
    this.outputs = json.o.map(arg);
    this.attrs = json.a.map((row) => ({
      name: row[0],
      type: row[1],
      defaultValue: row.length > 2 && row[2] !== null ? defaultAttr(row[1], row[2]) : unknownShape(row),
    }));
    this.stateful = json.s === 1;
  }

  attr(name: string): AttrDef | undefined {
    return this.attrs.find((a) => a.name === name);
  }
}

/** A default of `null` means an unknown shape; for other types there is none. */
function unknownShape(row: [string, string, unknown?]): Attr | undefined {
  return row.length > 2 && row[1] === 'shape' ? make.shape(null) : undefined;
}

function defaultAttr(type: string, value: unknown): Attr {
  if (type.startsWith('list(')) {
    const of = type.slice(5, -1);
    return { kind: 'list', value: (value as unknown[]).map((v) => defaultAttr(of, v)) };
  }
  switch (type) {
    case 'int':
      return make.int(BigInt(value as number | string));
    case 'float':
      return make.float(value === 'inf' ? Infinity : value === '-inf' ? -Infinity : (value as number));
    case 'bool':
      return make.bool(value as boolean);
    case 'type':
      return make.type(value as DType);
    case 'shape':
      return make.shape((value as number[] | null)?.map((d) => (d < 0 ? null : d)) as Shape);
    case 'func':
      return make.func(value as string);
    default:
      return typeof value === 'string'
        ? make.string(value)
        : { kind: 'string', value: Buffer.from((value as { base64: string }).base64, 'base64') };
  }
}

let table: Record<string, OpDefJson> | undefined;
const parsed = new Map<string, OpDef | undefined>();

/** The definition of an op; undefined for ops that TensorFlow does not know (custom ops). */
export function opDef(op: string): OpDef | undefined {
  if (parsed.has(op)) return parsed.get(op);
  // Loaded on first use: commands that see no graph do not pay for it.
  table ??= require('./op-defs.json') as Record<string, OpDefJson>;
  const def = Object.hasOwn(table, op) ? new OpDef(op, table[op]) : undefined;
  parsed.set(op, def);
  return def;
}

/** Every op name of TensorFlow's registry. */
export function opNames(): string[] {
  table ??= require('./op-defs.json') as Record<string, OpDefJson>;
  return Object.keys(table);
}

/**
 * The dtypes of an argument list under a node's attributes, flattened: `N` tensors of one type stand N times.
 * Gives undefined for an attribute that is missing.
 */
function flatten(node: Node, args: readonly ArgDef[]): (DType | undefined)[] {
  const out: (DType | undefined)[] = [];
  const single = (type: string): DType | undefined => {
    if (!type.startsWith('@')) return type as DType;
    const a = node.attr(type.slice(1));
    return a?.kind === 'type' ? a.value : undefined;
  };
  for (const arg of args) {
    if (arg.type.startsWith('**')) {
      const list = node.attr(arg.type.slice(2));
      if (list?.kind === 'list')
        for (const a of list.value) out.push(a.kind === 'type' ? a.value : undefined);
    } else if (arg.type.startsWith('*')) {
      const [count, type] = arg.type.slice(1).split(':');
      const n = node.attr(count);
      const dtype = single(type);
      if (n?.kind === 'int') for (let i = 0; i < Number(n.value); i++) out.push(dtype);
    } else out.push(single(arg.type));
  }
  return out;
}

/** How many of an op's flattened tensors an argument takes under a node's attributes. */
export function argLength(node: Node, arg: ArgDef): number {
  return flatten(node, [arg]).length;
}

/**
 * The dtype of each output of a node, by the op's definition; of a custom op by the note that those who add such ops
 * for the TFLite converter leave on it; undefined without one.
 */
export function outputTypes(node: Node): (DType | undefined)[] | undefined {
  if (node.def) return flatten(node, node.def.outputs);
  const noted = node.attrs.get('_output_types');
  return noted?.kind === 'list'
    ? noted.value.map((a) => (a.kind === 'type' ? a.value : undefined))
    : undefined;
}

/** The dtype of each input of a node, by the op's definition; undefined for custom ops. */
export function inputTypes(node: Node): (DType | undefined)[] | undefined {
  return node.def && flatten(node, node.def.inputs);
}
