/**
 * Writes the options of custom operators: a FlexBuffer with one map, as TensorFlow's converter writes it.
 *
 *   keys (text, 0) … | strings, lists … | key offsets | values | types | type of the root | its width
 *
 * The map's keys are sorted bytewise. Every slot of the map has one width: that of its widest member. The `flatbuffers`
 * package has a writer too, but it writes lists of two to four numbers as fixed vectors, which kernels that ask for a
 * typed vector read as empty, and floats of four bytes into slots of eight.
 */

export type FlexScalar =
  | { kind: 'int'; value: bigint }
  | { kind: 'float'; value: number }
  | { kind: 'bool'; value: boolean }
  | { kind: 'string'; value: Uint8Array };

/** A value of the map; a list has elements of one kind. */
export type FlexValue = FlexScalar | { kind: 'list'; of: FlexScalar['kind']; value: readonly FlexScalar[] };

/** Type codes of the format. */
const INT = 1;
const FLOAT = 3;
const KEY_VECTOR = 14;
const STRING = 5;
const MAP = 9;
const VECTOR = 10;
const INT_VECTOR = 11;
const FLOAT_VECTOR = 13;
const BOOL = 26;
const BOOL_VECTOR = 36;

/** Widths are stored as 0, 1, 2, 3 for 1, 2, 4, 8 bytes. */
type Width = 0 | 1 | 2 | 3;

/** What stands in a slot: a number, or the place of something written before. */
interface Slot {
  type: number;
  width: Width;
  put?: (view: DataView, at: number, bytes: number) => void;
  at?: number;
}

/** The bytes of a map. The same entries in any order give the same bytes. */
export function writeFlexMap(entries: ReadonlyMap<string, FlexValue>): Uint8Array {
  const writer = new FlexWriter();
  const sorted = [...entries].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const keys = sorted.map(([key]) => writer.text(key));
  const values = sorted.map(([, value]) => writer.slot(value));
  return writer.finish(keys, values);
}

class FlexWriter {
  private bytes = Buffer.alloc(256);
  private end = 0;

  /** A key: text and a zero. */
  text(key: string): Slot {
    const at = this.end;
    this.append(Buffer.from(key + '\0'));
    return { type: 0, width: 0, at };
  }

  slot(value: FlexValue): Slot {
    switch (value.kind) {
      case 'int':
        return intSlot(value.value);
      case 'float':
        return floatSlot(value.value);
      case 'bool':
        return { type: BOOL, width: 0, put: (view, at) => view.setUint8(at, value.value ? 1 : 0) };
      case 'string':
        return this.string(value.value);
      case 'list':
        return this.list(
          value.of,
          value.value.map((v) => this.slot(v)),
        );
    }
  }

  private string(value: Uint8Array): Slot {
    const width = widthOf(value.length);
    this.align(width);
    this.number(value.length, width);
    const at = this.end;
    this.append(Buffer.concat([value, Buffer.alloc(1)]));
    return { type: STRING, width, at };
  }

  private list(of: FlexScalar['kind'], slots: Slot[]): Slot {
    // Vectors of strings that carry no types of their elements are deprecated in the format: they are untyped ones.
    const type = { int: INT_VECTOR, float: FLOAT_VECTOR, bool: BOOL_VECTOR, string: VECTOR }[of];
    return this.vector(type, slots, of === 'string');
  }

  /** Writes `[prefix…] length, slots, [types]`; the result points behind the length. */
  private vector(type: number, slots: readonly Slot[], withTypes: boolean, keys?: Slot): Slot {
    const prefix = keys ? 3 : 1;
    let width = widthOf(slots.length);
    if (keys) width = wider(width, this.widthAt(keys, 0));
    slots.forEach((slot, i) => (width = wider(width, this.widthAt(slot, i + prefix))));
    const size = 1 << width;
    this.align(width);
    if (keys) {
      this.put(keys, size);
      this.number(1 << keys.width, width);
    }
    this.number(slots.length, width);
    const at = this.end;
    for (const slot of slots) this.put(slot, size);
    if (withTypes) for (const slot of slots) this.number(packedType(slot, width), 0);
    return { type, width, at };
  }

  finish(keys: readonly Slot[], values: readonly Slot[]): Uint8Array {
    const keyVector = this.vector(KEY_VECTOR, keys, false);
    const map = this.vector(MAP, values, true, keyVector);
    const width = this.widthAt(map, 0);
    this.align(width);
    this.put(map, 1 << width);
    this.number(packedType(map, 0), 0);
    this.number(1 << width, 0);
    return new Uint8Array(this.bytes.subarray(0, this.end));
  }

  /** The width a slot needs as element `i` of a vector that would start here: offsets count from the slot itself. */
  private widthAt({ at, width }: Slot, i: number): Width {
    if (at === undefined) return width;
    for (const candidate of [0, 1, 2, 3] as const) {
      const size = 1 << candidate;
      const slot = Math.ceil(this.end / size) * size + i * size;
      if (widthOf(slot - at) <= candidate) return candidate;
    }
    throw new RangeError('a FlexBuffer of this size cannot be written');
  }

  private put({ at, put }: Slot, size: number): void {
    if (at !== undefined) {
      this.number(this.end - at, Math.log2(size) as Width);
      return;
    }
    this.reserve(size);
    put?.(new DataView(this.bytes.buffer, this.bytes.byteOffset), this.end, size);
    this.end += size;
  }

  private number(value: number, width: Width): void {
    const size = 1 << width;
    this.reserve(size);
    if (width === 3) this.bytes.writeBigUInt64LE(BigInt(value), this.end);
    else this.bytes.writeUIntLE(value, this.end, size);
    this.end += size;
  }

  private align(width: Width): void {
    const size = 1 << width;
    const padding = (size - (this.end % size)) % size;
    this.reserve(padding);
    this.end += padding;
  }

  private append(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.end);
    this.end += bytes.length;
  }

  /** New room is zero: padding and the unused part of a slot are never garbage. */
  private reserve(size: number): void {
    if (this.end + size <= this.bytes.length) return;
    const larger = Buffer.alloc(Math.max(2 * this.bytes.length, this.end + size));
    larger.set(this.bytes.subarray(0, this.end));
    this.bytes = larger;
  }
}

function intSlot(value: bigint): Slot {
  const fits = (bits: number) => value === BigInt.asIntN(bits, value);
  const width = fits(8) ? 0 : fits(16) ? 1 : fits(32) ? 2 : 3;
  return {
    type: INT,
    width,
    put: (view, at, size) => {
      if (size === 8) view.setBigInt64(at, value, true);
      else if (size === 4) view.setInt32(at, Number(value), true);
      else if (size === 2) view.setInt16(at, Number(value), true);
      else view.setInt8(at, Number(value));
    },
  };
}

function floatSlot(value: number): Slot {
  const single = Number.isNaN(value) || Math.fround(value) === value;
  return {
    type: FLOAT,
    width: single ? 2 : 3,
    put: (view, at, size) =>
      size === 8 ? view.setFloat64(at, value, true) : view.setFloat32(at, value, true),
  };
}

/** Slots of numbers are as wide as their vector; what is pointed at has its own width. */
function packedType({ type, width, at }: Slot, parent: Width): number {
  return (type << 2) | (at === undefined ? wider(parent, width) : width);
}

function widthOf(n: number): Width {
  return n < 2 ** 8 ? 0 : n < 2 ** 16 ? 1 : n < 2 ** 32 ? 2 : 3;
}

function wider(a: Width, b: Width): Width {
  return a > b ? a : b;
}
