/**
 * Writes a model as a .tflite file, in pieces that need no joining.
 *
 *   flatbuffer (tables) | padding | length, bytes | padding | length, bytes | …
 *
 * Weights are not copied into a flatbuffers builder: the tables are built with every `Buffer.data` pointing at one
 * empty vector, then each such offset is set to the place behind the tables where the bytes will stand. A flatbuffer
 * offset is 32 bits, unsigned, forward: the file stays an ordinary flatbuffer. Beyond 2 GiB, where verifiers give up,
 * `Buffer.offset` and `Buffer.size` point at the same bytes instead, as the format foresees.
 */
import { Builder, ByteBuffer } from 'flatbuffers';
import type { Piece } from '@floe/export-core';
import { enumNumber, fieldPosition, rootPosition, writeTable, type FlatObject } from './flatbuffer';
import type { ConstBuffer, TfliteModel, TfliteOp, TfliteSubgraph, TfliteTensor } from './model';
import { operatorVersion } from './op-version';
import { minimumRuntime } from './runtime-version';
import { tableFields } from './schema';

const ALIGNMENT = 16;
/** Old readers look at a signed byte; larger codes stand as 127 there. */
const PLACEHOLDER_CODE = 127;
/** Flatbuffers are verified up to 2 GiB; some room is left for the tables. */
export const MAX_INLINE_BYTES = 2 ** 31 - 2 ** 26;

/**
 * The file's pieces, in order. The bytes depend on the model alone.
 *
 * @param maxInlineBytes beyond this many bytes of constants, buffers are named by `Buffer.offset`
 */
export function writeModel(model: TfliteModel, maxInlineBytes = MAX_INLINE_BYTES): Piece[] {
  const buffers = new BufferTable();
  const codes = new OperatorCodes();
  const subgraphs = model.subgraphs.map((g) => subgraphObject(g, model.subgraphs, buffers, codes));
  const metadata = new Map(model.metadata);
  metadata.set('min_runtime_version', versionBytes(minimumRuntime(codes.list)));
  const metadataObjects = [...metadata].map(([name, bytes]) => ({ name, buffer: buffers.add({ bytes }) }));
  const total = buffers.list.reduce((n, b) => n + b.byteLength + ALIGNMENT, 0);
  const inline = total <= maxInlineBytes;
  const object: FlatObject = {
    version: 3,
    operator_codes: codes.list.map(({ code, customCode, version }) => ({
      deprecated_builtin_code: Math.min(enumNumber('BuiltinOperator', code), PLACEHOLDER_CODE),
      ...(customCode === undefined ? {} : { custom_code: customCode }),
      version,
      builtin_code: code,
    })),
    subgraphs: subgraphs.map((s) => s.object),
    description: model.description,
    // Placeholders of the right form; the real places are filled in below.
    buffers: buffers.list.map((b) =>
      b.byteLength === 0 ? {} : inline ? { data: new Uint8Array(0) } : { offset: 2n, size: 2n },
    ),
    metadata: metadataObjects,
    signature_defs: model.signatures.map((signature) => {
      const index = model.subgraphs.indexOf(signature.subgraph);
      const entry = ({ name, tensor }: { name: string; tensor: TfliteTensor }) => ({
        name,
        tensor_index: subgraphs[index].indices.get(tensor) as number,
      });
      return {
        inputs: signature.inputs.map(entry),
        outputs: signature.outputs.map(entry),
        signature_key: signature.key,
        subgraph_index: index,
      };
    }),
  };
  const builder = new Builder(1 << 16);
  builder.finish(writeTable(builder, 'Model', object), 'TFL3');
  return layOut(builder.asUint8Array(), buffers.list, inline);
}

function layOut(tables: Uint8Array, buffers: Piece[], inline: boolean): Piece[] {
  const bb = new ByteBuffer(tables);
  const slots = Object.fromEntries(tableFields('Buffer').map((f) => [f.name, f.slot]));
  const modelBuffers = tableFields('Model').find((f) => f.name === 'buffers')!.slot;
  const vectorAt = fieldPosition(bb, rootPosition(bb), modelBuffers);
  const vector = vectorAt + bb.readUint32(vectorAt);
  const pieces: Piece[] = [tables];
  let end = tables.length;
  buffers.forEach((bytes, i) => {
    if (bytes.byteLength === 0) return;
    const item = vector + 4 + 4 * i;
    const table = item + bb.readUint32(item);
    const header = inline ? 4 : 0;
    const start = Math.ceil((end + header) / ALIGNMENT) * ALIGNMENT;
    const gap = Buffer.alloc(start - end);
    if (inline) {
      gap.writeUInt32LE(bytes.byteLength, gap.length - 4);
      const field = fieldPosition(bb, table, slots.data);
      bb.writeUint32(field, start - 4 - field);
    } else {
      bb.writeUint64(fieldPosition(bb, table, slots.offset), BigInt(start));
      bb.writeUint64(fieldPosition(bb, table, slots.size), BigInt(bytes.byteLength));
    }
    pieces.push(gap, bytes);
    end = start + bytes.byteLength;
  });
  return pieces;
}

/** Constants up to this size are stored once where their contents are equal; larger ones where they are one buffer. */
const MAX_COMPARED_BYTES = 1 << 16;

/** The model's buffers. Buffer 0 is the empty one that non-constants point at. */
class BufferTable {
  readonly list: Piece[] = [new Uint8Array(0)];
  private readonly byObject = new Map<ConstBuffer, number>();
  private readonly byContent = new Map<string, number>();

  add(buffer: ConstBuffer): number {
    const known = this.byObject.get(buffer);
    if (known !== undefined) return known;
    const index = this.byContents(buffer);
    this.byObject.set(buffer, index);
    return index;
  }

  private byContents(buffer: ConstBuffer): number {
    const size = buffer.byteLength ?? buffer.bytes.length;
    if (size > MAX_COMPARED_BYTES) {
      return this.list.push(buffer.byteLength === undefined ? buffer.bytes : (buffer as Piece)) - 1;
    }
    const { bytes } = buffer;
    const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
    const twin = this.byContent.get(content);
    if (twin !== undefined) return twin;
    const index = this.list.push(bytes) - 1;
    this.byContent.set(content, index);
    return index;
  }
}

export interface OperatorCode {
  code: string;
  customCode?: string;
  version: number;
}

class OperatorCodes {
  readonly list: OperatorCode[] = [];

  index(op: TfliteOp): number {
    const version = operatorVersion(op);
    const known = this.list.findIndex(
      (c) => c.code === op.code && c.customCode === op.customCode && c.version === version,
    );
    return known >= 0 ? known : this.list.push({ code: op.code, customCode: op.customCode, version }) - 1;
  }
}

function subgraphObject(
  graph: TfliteSubgraph,
  all: TfliteSubgraph[],
  buffers: BufferTable,
  codes: OperatorCodes,
): { object: FlatObject; indices: Map<TfliteTensor, number> } {
  const tensors = graph.tensors();
  const indices = new Map(tensors.map((t, i) => [t, i]));
  const index = (t: TfliteTensor | undefined) => (t ? (indices.get(t) as number) : -1);
  const object: FlatObject = {
    tensors: tensors.map((t) => tensorObject(t, buffers)),
    inputs: graph.inputs.map(index),
    outputs: graph.outputs.map(index),
    operators: graph.ops.map((op) => ({
      opcode_index: codes.index(op),
      inputs: op.inputs.map(index),
      outputs: op.outputs.map(index),
      ...optionsFields(op, all),
      ...(op.customOptions ? { custom_options: op.customOptions } : {}),
      ...(op.intermediates ? { intermediates: op.intermediates.map(index) } : {}),
    })),
    name: graph.name,
  };
  return { object, indices };
}

function optionsFields(op: TfliteOp, all: TfliteSubgraph[]): FlatObject {
  if (!op.options) return {};
  const called = Object.entries(op.subgraphs ?? {}).map(([name, g]) => [name, all.indexOf(g)]);
  const options = { ...op.options, ...Object.fromEntries(called) };
  // The first union is full for old readers; StableHLO options and a few others live in the second.
  const second = /^(Stable(hlo|HLO)|DilateOptions|ReduceWindowOptions)/.test(String(op.options.type));
  return { [second ? 'builtin_options_2' : 'builtin_options']: options };
}

function tensorObject(tensor: TfliteTensor, buffers: BufferTable): FlatObject {
  const { shape, quantization: q } = tensor;
  const object: FlatObject = {
    shape: (shape ?? []).map((d) => (d < 0 ? 1 : d)),
    type: tensor.type,
    buffer: tensor.buffer ? buffers.add(tensor.buffer) : 0,
    name: tensor.name,
    has_rank: shape !== undefined,
  };
  if (tensor.isVariable) object.is_variable = true;
  if (q)
    object.quantization = {
      scale: q.scale,
      zero_point: q.zeroPoint.map(BigInt),
      quantized_dimension: q.axis,
      ...(q.details ? { details: q.details } : {}),
    };
  if (tensor.sparsity) object.sparsity = tensor.sparsity;
  if (tensor.variantTensors) object.variant_tensors = tensor.variantTensors;
  if (shape?.some((d) => d < 0)) object.shape_signature = shape;
  return object;
}

/** The version as text in 16 bytes, padded with zeros. */
function versionBytes(version: string): Uint8Array {
  const bytes = new Uint8Array(16);
  bytes.set(Buffer.from(version));
  return bytes;
}
