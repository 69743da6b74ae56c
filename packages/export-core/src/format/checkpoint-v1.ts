/**
 * V1 checkpoints (tf.train.SaverDef.V1 and before): each file is a table that holds everything.
 *
 *   model.ckpt                               one file, or
 *   model.ckpt-00000-of-00002 …              shards, named together as model.ckpt-?????-of-00002
 *
 *   ""               → SavedTensorSlices{meta: name, shape, dtype and list of slices of each variable}
 *   coded slice key  → SavedTensorSlices{data: name, slice, elements}      (slices.ts; also for whole variables)
 *
 * The elements are listed in a TensorProto that says neither dtype nor shape: both are those of the slice.
 */
import { MAX_RANK, MAX_SLICES } from '../bytes/limits';
import { dtypeCode, dtypeFromCode, dtypeSize, type DType } from '../tensor/dtype';
import { elementCount } from '../tensor/shape';
import { MAX_TENSOR_BYTES, Tensor } from '../tensor/tensor';
import type { Checkpoint, CheckpointEntry } from './checkpoint';
import { damaged, fileError, RandomAccessFile } from './file';
import { decode, enumName, create, type TensorProto } from './proto';
import { assembleSlices, sliceOf, type Slice } from './slices';
import { Table } from './table';
import { tensorFromProto } from './tensor-proto';

interface Shard {
  path: string;
  file: RandomAccessFile;
  table: Table;
}

interface StoredVariable {
  dtype: DType | undefined;
  dtypeCode: number;
  shape: number[];
  slices: { slice: Slice; shard: Shard }[];
}

/** True when a table file is a V1 checkpoint: its entry "" says which slices it has. */
export function isV1Table(table: Table, path: string): boolean {
  const entry = table.get(new Uint8Array(0));
  return entry !== undefined && decode('SavedTensorSlices', entry.value, path, entry.block).meta !== null;
}

export class V1Checkpoint implements Checkpoint {
  readonly format = 'V1';
  readonly entries = new Map<string, CheckpointEntry>();
  private readonly shards: Shard[] = [];
  private readonly stored = new Map<string, StoredVariable>();

  /** Reads which slices the files have. @throws FloeError S001, S002, S004, S005 */
  constructor(
    readonly prefix: string,
    readonly files: readonly string[],
  ) {
    try {
      for (const path of files) {
        const file = new RandomAccessFile(path);
        this.shards.push({ path, file, table: undefined as unknown as Table });
        const shard = this.shards[this.shards.length - 1];
        shard.table = new Table(file);
        this.readMeta(shard);
      }
    } catch (error) {
      this.close();
      throw error;
    }
    const names = [...this.stored.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    for (const name of names) {
      const { dtype, shape, slices } = this.stored.get(name)!;
      if (!dtype) continue;
      this.entries.set(name, {
        dtype,
        shape,
        byteLength: dtype === 'string' ? undefined : elementCount(shape) * dtypeSize(dtype),
        slices: slices.length > 1 ? slices.length : 0,
      });
    }
  }

  private readMeta(shard: Shard): void {
    const entry = shard.table.get(new Uint8Array(0));
    const meta = entry && decode('SavedTensorSlices', entry.value, shard.path, entry.block).meta;
    if (!meta) throw damaged(shard.path, entry?.block, 'it is a table file, but not a V1 checkpoint');
    for (const { name, shape: proto, type, slice: slices } of meta.tensor) {
      const dims = proto?.dim ?? [];
      const shape = dims.map((d) => Number(d.size));
      if (dims.length > MAX_RANK || shape.some((d) => d < 0) || !Number.isSafeInteger(elementCount(shape))) {
        throw damaged(shard.path, entry.block, `the shape of "${name}" is not a shape of stored elements`);
      }
      const known = this.stored.get(name);
      if (known && (known.dtypeCode !== type || known.shape.join() !== shape.join())) {
        throw damaged(shard.path, entry.block, `"${name}" has another type or shape than in another shard`);
      }
      const variable = known ?? { dtype: dtypeFromCode(type), dtypeCode: type, shape, slices: [] };
      this.stored.set(name, variable);
      if (slices.length + variable.slices.length > MAX_SLICES) {
        throw damaged(shard.path, entry.block, `"${name}" has too many slices`);
      }
      try {
        for (const one of slices) variable.slices.push({ slice: sliceOf(name, shape, one), shard });
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        throw damaged(shard.path, entry.block, `"${name}": ${error.message}`);
      }
    }
  }

  /** @throws FloeError S004, S005, S007, S008 (no such variable), S010 */
  read(name: string): Tensor {
    const [first] = this.files;
    const variable = this.stored.get(name);
    if (!variable) throw fileError('S008', first, `the checkpoint ${this.prefix} has no variable "${name}"`);
    const { dtype, shape, slices } = variable;
    if (!dtype || (dtypeSize(dtype) === 0 && dtype !== 'string')) {
      const type = enumName('DataType', variable.dtypeCode) ?? `number ${variable.dtypeCode}`;
      throw fileError('S007', first, `"${name}" in ${this.prefix} is of type ${type}, which cannot be read`);
    }
    const bytes = elementCount(shape) * Math.max(1, dtypeSize(dtype));
    if (bytes > MAX_TENSOR_BYTES) {
      throw fileError(
        'S010',
        first,
        `"${name}" in ${this.prefix} is larger than can be read: ${bytes} bytes`,
      );
    }
    try {
      if (slices.length === 1 && slices[0].slice.shape.join() === shape.join()) {
        return readSlice(name, dtype, slices[0].slice, slices[0].shard);
      }
      return assembleSlices(dtype, shape, readSlices(name, dtype, slices));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw damaged(slices[0]?.shard.path ?? first, undefined, `the slices of "${name}": ${error.message}`);
    }
  }

  close(): void {
    for (const { file } of this.shards) file.close();
  }
}

function* readSlices(name: string, dtype: DType, slices: StoredVariable['slices']) {
  for (const { slice, shard } of slices) yield { slice, tensor: readSlice(name, dtype, slice, shard) };
}

function readSlice(name: string, dtype: DType, slice: Slice, shard: Shard): Tensor {
  const entry = shard.table.get(slice.key);
  const saved = entry && decode('SavedTensorSlices', entry.value, shard.path, entry.block).data;
  if (!entry || !saved?.data || saved.name !== name) {
    const place = `[${slice.start.join(',')}] + [${slice.shape.join(',')}]`;
    throw damaged(shard.path, entry?.block, `the slice ${place} of "${name}" has no elements`);
  }
  const count = listed(saved.data, dtype).length;
  const wanted = elementCount(slice.shape) * (dtype === 'complex64' || dtype === 'complex128' ? 2 : 1);
  if (count !== wanted) {
    throw damaged(
      shard.path,
      entry.block,
      `a slice of "${name}" lists ${count} elements instead of ${wanted}`,
    );
  }
  if (count === 0) return emptyTensor(dtype, slice.shape);
  const dim = slice.shape.map((size) => create('TensorShapeDim', { size: BigInt(size) }));
  const tensor_shape = create('TensorShapeProto', { dim });
  return tensorFromProto(create('TensorProto', { ...saved.data, dtype: dtypeCode(dtype), tensor_shape }));
}

function emptyTensor(dtype: DType, shape: readonly number[]): Tensor {
  return dtype === 'string'
    ? Tensor.fromStrings(shape, [])
    : Tensor.fromBytes(dtype, shape, new Uint8Array(0));
}

/** The list of a TensorProto in which a dtype's elements stand. */
function listed(proto: TensorProto, dtype: DType): { readonly length: number } {
  switch (dtype) {
    case 'float32':
      return proto.float_val;
    case 'float64':
      return proto.double_val;
    case 'complex64':
      return proto.scomplex_val;
    case 'complex128':
      return proto.dcomplex_val;
    case 'int64':
      return proto.int64_val;
    case 'uint64':
      return proto.uint64_val;
    case 'uint32':
      return proto.uint32_val;
    case 'bool':
      return proto.bool_val;
    case 'string':
      return proto.string_val;
    case 'float16':
    case 'bfloat16':
      return proto.half_val;
    case 'float8_e5m2':
    case 'float8_e4m3fn':
      return proto.float8_val;
    default:
      return proto.int_val;
  }
}
