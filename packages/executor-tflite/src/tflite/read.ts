/** Reads a .tflite file into the model that `write.ts` writes. Constants stay views into the file's bytes. */
import { ByteBuffer } from 'flatbuffers';
import { FloeError } from '@floe/export-core';
import { FlatbufferError, readTable, rootPosition, type FlatObject } from './flatbuffer';
import { TfliteModel, TfliteOp, TfliteSubgraph, TfliteTensor, type ConstBuffer } from './model';
import { enumName } from './schema';

const PLACEHOLDER_CODE = 127;

/** Throws FloeError S003 when it is no .tflite file and S004 when it is a damaged one. */
export function readModel(bytes: Uint8Array, file: string): TfliteModel {
  if (bytes.length < 8 || Buffer.from(bytes.subarray(4, 8)).toString('latin1') !== 'TFL3') {
    throw new FloeError({
      code: 'S003',
      severity: 'error',
      message: `${file} is not a .tflite file (no TFL3 mark)`,
    });
  }
  try {
    const bb = new ByteBuffer(bytes);
    return build(readTable(bb, 'Model', rootPosition(bb)), bytes);
  } catch (error) {
    if (!(error instanceof FlatbufferError) && !(error instanceof RangeError)) throw error;
    const at = error instanceof FlatbufferError ? ` (at byte ${error.offset})` : '';
    throw new FloeError({
      code: 'S004',
      severity: 'error',
      message: `${file} is damaged: ${error.message}${at}`,
    });
  }
}

type Objects = FlatObject[];

function build(object: FlatObject, bytes: Uint8Array): TfliteModel {
  if ((object.external_buffers as Objects)?.length) {
    throw new RangeError('it keeps constants in other files, which is not read');
  }
  const model = new TfliteModel();
  model.description = (object.description as string) ?? '';
  const buffers = ((object.buffers as Objects) ?? []).map((b): ConstBuffer | undefined => bufferOf(b, bytes));
  const at = <T>(list: readonly T[], i: number, what: string): T => {
    if (i < 0 || i >= list.length) throw new RangeError(`${what} ${i} does not exist`);
    return list[i];
  };
  const graphs = (object.subgraphs as Objects) ?? [];
  model.subgraphs = graphs.map((g) => new TfliteSubgraph((g.name as string) ?? ''));
  const tensorObjects = graphs.map((g) => (g.tensors as Objects) ?? []);
  // Files from before 2022 do not say which tensors have a rank: there, no sizes mean a scalar.
  const hasRanks = tensorObjects.some((list) => list.some((t) => t.has_rank));
  const tensors = tensorObjects.map((list) => list.map((t) => tensorOf(t, buffers, hasRanks, at)));
  graphs.forEach((g, s) => {
    const pick = (list: unknown) => ((list as number[]) ?? []).map((i) => at(tensors[s], i, 'tensor'));
    const graph = model.subgraphs[s];
    graph.inputs = pick(g.inputs);
    graph.outputs = pick(g.outputs);
    graph.ops = ((g.operators as Objects) ?? []).map((o) => {
      const code = at(object.operator_codes as Objects, o.opcode_index as number, 'operator code');
      const inputs = ((o.inputs as number[]) ?? []).map((i) =>
        i < 0 ? undefined : at(tensors[s], i, 'tensor'),
      );
      const options = (o.builtin_options ?? o.builtin_options_2) as FlatObject | undefined;
      const op = new TfliteOp(operatorName(code), inputs, pick(o.outputs), options);
      if (code.custom_code !== undefined) op.customCode = code.custom_code as string;
      if (o.custom_options !== undefined) op.customOptions = o.custom_options as Uint8Array;
      const large = bytesAt(o.large_custom_options_offset, o.large_custom_options_size, bytes);
      if (large) op.customOptions = large;
      if ((o.intermediates as number[])?.length) op.intermediates = pick(o.intermediates);
      for (const [name, value] of Object.entries(options ?? {})) {
        if (!name.endsWith('subgraph_index') || typeof value !== 'number' || value < 0) continue;
        (op.subgraphs ??= {})[name] = at(model.subgraphs, value, 'subgraph');
      }
      return op;
    });
  });
  model.signatures = ((object.signature_defs as Objects) ?? []).map((sig) => {
    const s = sig.subgraph_index as number;
    const entries = (list: unknown) =>
      ((list as Objects) ?? []).map((e) => ({
        name: (e.name as string) ?? '',
        tensor: at(at(tensors, s, 'subgraph'), e.tensor_index as number, 'tensor'),
      }));
    return {
      key: (sig.signature_key as string) ?? '',
      subgraph: at(model.subgraphs, s, 'subgraph'),
      inputs: entries(sig.inputs),
      outputs: entries(sig.outputs),
    };
  });
  for (const m of (object.metadata as Objects) ?? []) {
    const buffer = at(buffers, m.buffer as number, 'buffer');
    if (m.name !== 'min_runtime_version')
      model.metadata.set((m.name as string) ?? '', buffer?.bytes ?? new Uint8Array(0));
  }
  return model;
}

function operatorName(code: FlatObject): string {
  const old = code.deprecated_builtin_code as number;
  // Files from before 2020 have the byte only.
  return old < PLACEHOLDER_CODE && old > 0 ? enumName('BuiltinOperator', old) : (code.builtin_code as string);
}

function bufferOf(object: FlatObject, file: Uint8Array): ConstBuffer | undefined {
  const data = object.data as Uint8Array | undefined;
  if (data?.length) return { bytes: data };
  const outside = bytesAt(object.offset, object.size, file);
  return outside && { bytes: outside };
}

/** Bytes behind the tables, as files over 2 GiB have them; 0 and 1 are "not set" by the format's own rule. */
function bytesAt(at: unknown, length: unknown, file: Uint8Array): Uint8Array | undefined {
  const offset = Number(at ?? 0);
  const size = Number(length ?? 0);
  if (offset <= 1) return undefined;
  if (offset + size > file.length) throw new RangeError(`${size} bytes at ${offset} leave the file`);
  return file.subarray(offset, offset + size);
}

function tensorOf(
  object: FlatObject,
  buffers: readonly (ConstBuffer | undefined)[],
  hasRanks: boolean,
  at: <T>(list: readonly T[], i: number, what: string) => T,
): TfliteTensor {
  const shape = (object.shape as number[]) ?? [];
  const signature = object.shape_signature as number[] | undefined;
  const buffer = at(buffers, object.buffer as number, 'buffer');
  const known = object.has_rank || shape.length > 0 || !hasRanks || buffer !== undefined;
  const tensor = new TfliteTensor(
    (object.name as string) ?? '',
    object.type as string,
    signature?.length ? signature : known ? shape : undefined,
  );
  if (buffer) tensor.buffer = buffer;
  else if (tensor.isStatic && tensor.elements === 0 && (object.buffer as number) > 0)
    tensor.buffer = { bytes: new Uint8Array(0) };
  tensor.isVariable = object.is_variable as boolean;
  const q = object.quantization as FlatObject | undefined;
  const scale = q?.scale as number[] | undefined;
  if (q && (scale?.length || q.details)) {
    tensor.quantization = {
      scale: scale ?? [],
      zeroPoint: ((q.zero_point as bigint[]) ?? scale?.map(() => 0n) ?? []).map(Number),
      axis: q.quantized_dimension as number,
      ...(q.details ? { details: q.details as FlatObject } : {}),
    };
  }
  if (object.sparsity) tensor.sparsity = object.sparsity as FlatObject;
  if (object.variant_tensors) tensor.variantTensors = object.variant_tensors as Objects;
  return tensor;
}
