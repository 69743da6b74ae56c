/**
 * Reads a large GraphDef without its weights: the bytes of large constants stay in the file until they are needed.
 *
 *   GraphDef    1: NodeDef, …
 *   NodeDef     1: name   5: attr entry { 1: "value"   2: AttrValue { 8: TensorProto { 4: tensor_content } } }
 *
 * The messages are decoded as they are, less those contents.
 */
import { MAX_MESSAGE_BYTES } from '../bytes/limits';
import { damaged, RandomAccessFile, readFile } from './file';
import { decode, type GraphDef } from './proto';
import { wireFields, type WireField } from './wire';

/** Files up to this size are read whole. */
const SMALL_FILE_BYTES = 1 << 24;
/** Contents larger than this stay in the file. */
const LARGE_CONTENT_BYTES = 1 << 16;
/** Bytes read at once while the fields are walked. */
const WINDOW_BYTES = 1 << 18;

/** Where the packed elements of a constant lie. */
export interface FileRange {
  start: number;
  length: number;
}

export interface GraphDefFile {
  def: GraphDef;
  /** By node: constants whose `tensor_content` was left in the file. */
  contents: Map<string, FileRange>;
}

/** @throws FloeError S001, S002, S004 (no GraphDef), S010 (larger than a message can be) */
export function readGraphDefFile(path: string): GraphDefFile {
  const file = new RandomAccessFile(path);
  let large: boolean;
  try {
    large = file.size > SMALL_FILE_BYTES && file.size <= MAX_MESSAGE_BYTES;
    if (large) {
      const contents = new Map<string, FileRange>();
      const pieces = withoutContents(new Windowed(file), contents);
      if (pieces) return { def: decode('GraphDef', Buffer.concat(pieces), path), contents };
    }
  } finally {
    file.close();
  }
  // Small, or not what it should be: decoding the whole says at which byte.
  const def = decode('GraphDef', readFile(path, MAX_MESSAGE_BYTES), path);
  if (large) throw damaged(path, undefined, 'its fields do not add up');
  return { def, contents: new Map() };
}

/** A range of a file, read when it is asked for. */
export function readRange(path: string, { start, length }: FileRange): Buffer {
  const file = new RandomAccessFile(path);
  try {
    return file.read(start, length);
  } finally {
    file.close();
  }
}

/** The bytes of the GraphDef without large contents; undefined when they are no message. */
function withoutContents(file: Windowed, contents: Map<string, FileRange>): Buffer[] | undefined {
  const nodes = wireFields(file, 0, file.size, Infinity);
  if (!nodes) return undefined;
  const pieces: Buffer[] = [];
  // Neighbours that are kept as they are make one piece.
  let from = 0;
  let to = 0;
  const flush = (): void => {
    if (to > from) pieces.push(file.copy(from, to));
  };
  let position = 0;
  for (const field of nodes) {
    if (field.number === 1 && field.end - field.start > LARGE_CONTENT_BYTES) {
      flush();
      const reduced = reduceNode(file, field, contents);
      if (!reduced) return undefined;
      pieces.push(...delimited(1, reduced));
      from = field.end;
    } else if (to !== position) from = position;
    position = to = field.end;
  }
  flush();
  return pieces;
}

/** A NodeDef without its large content, which is noted under the node's name. */
function reduceNode(file: Windowed, node: WireField, contents: Map<string, FileRange>): Buffer[] | undefined {
  const fields = wireFields(file, node.start, node.end, Infinity);
  const name = fields?.find((f) => f.number === 1);
  if (!fields || !name) return undefined;
  let found: FileRange | undefined;
  /** The message with what lies at the end of the path of field numbers taken out, where that is large. */
  const reduce = (list: WireField[], path: readonly number[], messageStart: number): Buffer[] | undefined => {
    const out: Buffer[] = [];
    let position = messageStart;
    for (const field of list) {
      if (field.number === path[0] && field.type === 2 && field.end - field.start > LARGE_CONTENT_BYTES) {
        if (path.length === 1) {
          // A second one would be merged by protobuf's rules: not a file that TensorFlow writes.
          if (found) return undefined;
          found = { start: field.start, length: field.end - field.start };
        } else {
          const inner = wireFields(file, field.start, field.end, Infinity);
          const reduced = inner && reduce(inner, path.slice(1), field.start);
          if (!reduced) return undefined;
          out.push(...delimited(field.number, reduced));
        }
      } else out.push(file.copy(position, field.end));
      position = field.end;
    }
    return out;
  };
  const reduced = reduce(fields, [5, 2, 8, 4], node.start);
  if (reduced && found) contents.set(file.copy(name.start, name.end).toString('utf8'), found);
  return reduced;
}

function delimited(number: number, pieces: Buffer[]): Buffer[] {
  const head = [number * 8 + 2];
  for (let rest = pieces.reduce((n, p) => n + p.length, 0); ; rest >>>= 7) {
    if (rest < 128) {
      head.push(rest);
      return [Buffer.from(head), ...pieces];
    }
    head.push((rest & 127) | 128);
  }
}

/** Small reads out of a larger one. */
class Windowed {
  private window: Buffer = Buffer.alloc(0);
  private at = 0;

  constructor(private readonly file: RandomAccessFile) {}

  get size(): number {
    return this.file.size;
  }

  read(start: number, length: number): Buffer {
    if (start < this.at || start + length > this.at + this.window.length) {
      this.at = start;
      this.window = this.file.read(start, Math.min(this.size - start, Math.max(WINDOW_BYTES, length)));
    }
    return this.window.subarray(start - this.at, start - this.at + length);
  }

  copy(start: number, end: number): Buffer {
    return this.file.read(start, end - start);
  }
}
