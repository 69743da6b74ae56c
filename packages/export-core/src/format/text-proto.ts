/**
 * Protobuf text format (.pbtxt, `checkpoint` state files): parsed into the same message objects as `decode` gives.
 *
 *   node {                      fields of a message, in { } or < >, the colon optional
 *     name: "x"  op: 'Const'    one after another; a `,` or `;` may stand between
 *     attr { key: "value" value { tensor { float_val: [1, 2.5, inf] } } }     a map entry; a list
 *   }                           # comment
 *
 * As TensorFlow's parser: a field that may stand once must not stand twice, numbers must fit their type, names of
 * enum values or their numbers. Extensions and Any contents (`[type.name] { }`) are skipped.
 */
import type protobuf from 'protobufjs/light';
import { MAX_MESSAGE_NESTING, MAX_TEXT_BYTES } from '../bytes/limits';
import { didYouMean } from '../diagnostics/suggest';
import { fileError } from './file';
import { SKIPPED_FIELDS, type Message, type MessageName } from './proto-schema';
import { messageType } from './proto-types';
import { TextScanner } from './text-scanner';

type Fields = Record<string, unknown>;
type Scalar = number | bigint | boolean | string | Uint8Array;

const COMMA = 0x2c;
const COLON = 0x3a;
const SEMICOLON = 0x3b;
const LESS = 0x3c;
const GREATER = 0x3e;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** A field of the schema, prepared for parsing. */
interface FieldRule {
  name: string;
  type: string;
  repeated: boolean;
  map?: { key: FieldRule; value: FieldRule };
  message?: MessageRule;
  enumValues?: Readonly<Record<string, number>>;
  enumName?: string;
  /** Other fields of its oneof group. */
  rivals?: string[];
}

interface MessageRule {
  name: string;
  type: protobuf.Type;
  fields: Map<string, FieldRule>;
  skipped: readonly string[];
}

const rules = new Map<string, MessageRule>();

/**
 * Parses one message in text format.
 *
 * @param file the name for error messages
 * @throws FloeError S004 with line and column; S010 when it is larger than a text file may be
 */
export function parseText<N extends MessageName>(name: N, text: Uint8Array, file: string): Message<N> {
  if (text.length > MAX_TEXT_BYTES)
    throw fileError('S010', file, `${file} is larger than ${MAX_TEXT_BYTES} bytes`);
  const rule = messageRule(messageType(name));
  const message = rule.type.create() as unknown as Fields;
  new TextParser(text, file).fields(rule, message, -1, 0);
  return message as unknown as Message<N>;
}

function messageRule(type: protobuf.Type): MessageRule {
  let rule = rules.get(type.name);
  if (!rule) {
    rule = { name: type.name, type, fields: new Map(), skipped: SKIPPED_FIELDS[type.name] ?? [] };
    // Known before its fields are looked at: messages contain each other.
    rules.set(type.name, rule);
    for (const field of type.fieldsArray) rule.fields.set(field.name, fieldRule(field));
  }
  return rule;
}

function fieldRule(field: protobuf.Field): FieldRule {
  field.resolve();
  const rule: FieldRule = { name: field.name, type: field.type, repeated: field.repeated };
  const resolved = field.resolvedType;
  if (resolved && 'values' in resolved) {
    rule.enumValues = resolved.values;
    rule.enumName = resolved.name;
  } else if (resolved) {
    rule.message = messageRule(messageType(resolved.name as MessageName));
  }
  if (field.partOf) rule.rivals = field.partOf.oneof.filter((other) => other !== field.name);
  if (field.map) {
    const key: FieldRule = {
      name: 'key',
      type: (field as unknown as protobuf.MapField).keyType,
      repeated: false,
    };
    rule.map = { key, value: { ...rule, name: 'value', repeated: false } };
  }
  return rule;
}

class TextParser {
  private readonly scan: TextScanner;

  constructor(text: Uint8Array, file: string) {
    this.scan = new TextScanner(text, file);
  }

  /** Fields up to the closing byte (-1: the end of the file). */
  fields(rule: MessageRule, message: Fields, close: number, depth: number): void {
    const { scan } = this;
    this.checkDepth(depth);
    for (;;) {
      const c = scan.peek();
      if (c === close) {
        if (c >= 0) scan.pos++;
        return;
      }
      const at = scan.pos;
      if (c === OPEN_BRACKET) {
        scan.pos++;
        scan.bracketName();
        this.skipValue(depth);
      } else {
        const name = scan.name();
        if (name === undefined) {
          const wanted = close < 0 ? 'a field' : `a field or "${String.fromCharCode(close)}"`;
          throw scan.error(`expected ${wanted} of ${rule.name}, found ${scan.found()}`);
        }
        const field = rule.fields.get(name);
        if (field) this.field(rule, field, message, at, depth);
        else if (rule.skipped.includes(name)) this.skipValue(depth);
        else throw this.unknownField(rule, name, at);
      }
      if (!scan.take(COMMA)) scan.take(SEMICOLON);
    }
  }

  private checkDepth(depth: number): void {
    if (depth > MAX_MESSAGE_NESTING) {
      throw this.scan.error(`messages are nested more than ${MAX_MESSAGE_NESTING} deep`);
    }
  }

  private unknownField(rule: MessageRule, name: string, at: number): Error {
    const hint = didYouMean(name, rule.fields.keys(), 1);
    return this.scan.error(`${rule.name} has no field "${name}"`, at, name.length, hint);
  }

  /** One field after its name. */
  private field(owner: MessageRule, field: FieldRule, message: Fields, at: number, depth: number): void {
    const { scan } = this;
    const colon = scan.take(COLON);
    if (!colon && !field.message && !field.map) {
      throw scan.error(`expected ":" after ${field.name}, found ${scan.found()}`);
    }
    if (field.repeated || field.map) {
      const add = field.map ? this.mapAdder(field, message, depth) : this.listAdder(field, message, depth);
      if (!scan.take(OPEN_BRACKET)) return add();
      if (scan.take(CLOSE_BRACKET)) return;
      do add();
      while (scan.take(COMMA));
      if (!scan.take(CLOSE_BRACKET)) throw scan.error(`expected "," or "]", found ${scan.found()}`);
      return;
    }
    if (Object.hasOwn(message, field.name)) {
      throw scan.error(`${field.name} stands twice in one ${owner.name}`, at, field.name.length);
    }
    const rival = field.rivals?.find((name) => Object.hasOwn(message, name));
    if (rival !== undefined) {
      throw scan.error(
        `${owner.name} has ${field.name} beside ${rival}; it can have one of them`,
        at,
        field.name.length,
      );
    }
    message[field.name] = this.value(field, depth);
  }

  private listAdder(field: FieldRule, message: Fields, depth: number): () => void {
    if (!Object.hasOwn(message, field.name)) message[field.name] = [];
    const list = message[field.name] as unknown[];
    return () => void list.push(this.value(field, depth));
  }

  /** A map is written as a list of entries, messages with the fields `key` and `value`; the last of a key wins. */
  private mapAdder(field: FieldRule, message: Fields, depth: number): () => void {
    const map = message[field.name] as Fields;
    const { key, value } = field.map!;
    const entry: MessageRule = {
      name: `${field.name} entry`,
      type: value.message?.type as protobuf.Type,
      fields: new Map([
        ['key', key],
        ['value', value],
      ]),
      skipped: [],
    };
    return () => {
      const pair: Fields = {};
      this.fields(entry, pair, this.open(field.name), depth + 1);
      const name = String(pair.key ?? (key.type === 'string' ? '' : 0));
      map[name] = pair.value ?? defaultValue(value);
    };
  }

  /** The byte that closes the message which opens here. */
  private open(name: string): number {
    if (this.scan.take(OPEN_BRACE)) return CLOSE_BRACE;
    if (this.scan.take(LESS)) return GREATER;
    throw this.scan.error(`expected "{" after ${name}, found ${this.scan.found()}`);
  }

  private value(field: FieldRule, depth: number): unknown {
    if (field.message) {
      const message = field.message.type.create() as unknown as Fields;
      this.fields(field.message, message, this.open(field.name), depth + 1);
      return message;
    }
    return this.scalar(field);
  }

  private scalar(field: FieldRule): Scalar {
    const { scan } = this;
    switch (field.type) {
      case 'string':
      case 'bytes':
        return this.text(field);
      case 'bool':
        return this.bool(field);
      case 'float':
      case 'double': {
        const value = scan.smallInteger() ?? this.float(field);
        return field.type === 'float' ? Math.fround(value) : value;
      }
      case 'int32':
      case 'sint32':
        return Number(this.integer(field, -0x80000000, 0x7fffffff)) | 0;
      case 'uint32':
      case 'fixed32':
        return Number(this.integer(field, 0, 0xffffffff));
      case 'uint64':
      case 'fixed64':
        return BigInt(this.integer(field, 0, 2n ** 64n - 1n));
      case 'int64':
      case 'sint64':
        return BigInt(this.integer(field, -(2n ** 63n), 2n ** 63n - 1n));
      default:
        return this.enumeration(field);
    }
  }

  private text(field: FieldRule): string | Uint8Array {
    const { scan } = this;
    if (!scan.isString()) throw scan.error(`${field.name} needs a string in quotes, found ${scan.found()}`);
    const at = scan.pos;
    const bytes = scan.string();
    if (field.type === 'bytes') return Uint8Array.prototype.slice.call(bytes);
    const text = bytes.toString('utf8');
    if (text.includes('\ufffd') && !Buffer.from(text).equals(bytes)) {
      throw scan.error(`${field.name} is not valid UTF-8`, at);
    }
    return text;
  }

  private bool(field: FieldRule): boolean {
    const at = (this.scan.peek(), this.scan.pos);
    const word = this.scan.scalar();
    if (/^(true|True|t|0*1|0x0*1)$/.test(word)) return true;
    if (/^(false|False|f|0+|0x0+)$/.test(word)) return false;
    throw this.notA(field, 'true or false', word, at);
  }

  private float(field: FieldRule): number {
    const at = (this.scan.peek(), this.scan.pos);
    const word = this.scan.scalar();
    const special = /^(-?)(inf|infinity|nan)f?$/i.exec(word);
    if (special) return special[2].toLowerCase() === 'nan' ? NaN : special[1] ? -Infinity : Infinity;
    const number = /^(-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)f?$/i.exec(word);
    if (!number) throw this.notA(field, 'a number', word, at);
    return Number(number[1]);
  }

  private integer(field: FieldRule, min: number | bigint, max: number | bigint): number | bigint {
    const { scan } = this;
    const at = (scan.peek(), scan.pos);
    let value: number | bigint | undefined = scan.smallInteger();
    if (value === undefined) {
      const word = scan.scalar();
      const parts = /^(-?)(?:(0x[0-9a-f]+)|0([0-7]+)|(\d+))$/i.exec(word);
      if (
        !parts ||
        (parts[4] !== undefined && parts[4].length > 1 && parts[4][0] === '0') ||
        word.length > 70
      ) {
        throw this.notA(field, 'an integer', word, at);
      }
      value = BigInt(parts[2] ?? (parts[3] !== undefined ? `0o${parts[3]}` : parts[4]));
      if (parts[1]) value = -value;
    }
    if (value < min || value > max) {
      throw scan.error(
        `${field.name} cannot hold ${value}: ${field.type} ends at ${value < min ? min : max}`,
        at,
      );
    }
    return value;
  }

  private enumeration(field: FieldRule): number {
    const { scan } = this;
    const at = (scan.peek(), scan.pos);
    const name = scan.name();
    if (name === undefined) return Number(this.integer({ ...field, type: 'int32' }, -0x80000000, 0x7fffffff));
    const values = field.enumValues!;
    if (Object.hasOwn(values, name)) return values[name];
    const hint = didYouMean(name, Object.keys(values), 1);
    throw scan.error(`${field.enumName} has no value ${name}`, at, name.length, hint);
  }

  private notA(field: FieldRule, wanted: string, word: string, at: number): Error {
    const found = word ? JSON.stringify(word) : this.scan.found();
    return this.scan.error(`${field.name} needs ${wanted}, found ${found}`, at, word.length || undefined);
  }

  /** Skips what follows a field's name, whatever its type. */
  private skipValue(depth: number): void {
    this.scan.take(COLON);
    if (this.scan.take(OPEN_BRACKET)) {
      if (this.scan.take(CLOSE_BRACKET)) return;
      do this.skipOne(depth);
      while (this.scan.take(COMMA));
      if (!this.scan.take(CLOSE_BRACKET))
        throw this.scan.error(`expected "," or "]", found ${this.scan.found()}`);
    } else {
      this.skipOne(depth);
    }
  }

  private skipOne(depth: number): void {
    const { scan } = this;
    const c = scan.peek();
    if (scan.isString()) return scan.skipString();
    if (c !== OPEN_BRACE && c !== LESS) {
      if (!/[\w.]/.test(scan.scalar())) throw scan.error(`expected a value, found ${scan.found()}`);
      return;
    }
    const close = this.open('');
    this.checkDepth(depth + 1);
    while (!scan.take(close)) {
      if (scan.take(OPEN_BRACKET)) scan.bracketName();
      else if (scan.scalar() === '') throw scan.error(`expected a field, found ${scan.found()}`);
      this.skipValue(depth + 1);
      if (!scan.take(COMMA)) scan.take(SEMICOLON);
    }
  }
}

function defaultValue(field: FieldRule): unknown {
  if (field.message) return field.message.type.create();
  if (field.type === 'string') return '';
  if (field.type === 'bytes') return new Uint8Array(0);
  if (field.type === 'bool') return false;
  return /64$/.test(field.type) ? 0n : 0;
}
