/** Reads the op fixtures that scripts/op-fixtures writes, and compares tensors with TensorFlow's. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { decode } from '../../format/proto';
import { attr } from '../../graph/attr';
import { Graph, type Node } from '../../graph/graph';
import { nodeFromDef, Problems } from '../../graph/graphdef';
import { Diagnostics } from '../../diagnostics/diagnostic';
import { inferNode } from '../../passes/infer-shapes';
import { dtypeKind, type DType } from '../../tensor/dtype';
import type { Dim, Shape } from '../../tensor/shape';
import { Tensor } from '../../tensor/tensor';
import { floatsOf } from '../kernels/elementwise';
import { COMPLEX_TOLERANCE, LARGEST_COUNTS, TOLERANCE, ZERO_SIGN_VARIES } from './tolerance';

interface TensorJson {
  dtype: DType;
  shape: number[];
  data: string | string[];
}

interface CaseJson {
  name: string;
  node: string;
  inputs: TensorJson[];
  outputs: TensorJson[];
  shapes: { in: (number[] | null)[]; const: number[]; out: (number[] | null)[] }[];
}

/** What TensorFlow infers when the inputs have the shapes `in` and those in `constants` are constant. */
export interface ShapeRecord {
  in: Shape[];
  constants: number[];
  out: Shape[];
}

/** One node with its inputs, what TensorFlow computes and what it infers. */
export interface FixtureCase {
  name: string;
  op: string;
  /** A new node without inputs. */
  node(): Node;
  inputs: Tensor[];
  outputs: Tensor[];
  shapes: ShapeRecord[];
}

const FOLDER = join(__dirname, '..', 'fixtures');

/** The families that have a fixture file. */
export function fixtureFamilies(): string[] {
  return readdirSync(FOLDER)
    .filter((f) => f.endsWith('.json.gz'))
    .map((f) => f.slice(0, -'.json.gz'.length))
    .sort();
}

/** The cases of one family. */
export function loadFixtures(family: string): FixtureCase[] {
  const text = gunzipSync(readFileSync(join(FOLDER, `${family}.json.gz`))).toString('utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => caseFromJson(JSON.parse(line) as CaseJson));
}

function caseFromJson(json: CaseJson): FixtureCase {
  const node = () => {
    const problems = new Problems(json.name);
    const made = nodeFromDef(decode('NodeDef', Buffer.from(json.node, 'base64'), json.name), problems);
    problems.throwIfAny();
    return made;
  };
  const shape = (s: number[] | null): Shape => s?.map((d) => (d < 0 ? null : d)) ?? null;
  return {
    name: json.name,
    op: node().op,
    node,
    inputs: json.inputs.map(tensorFromJson),
    outputs: json.outputs.map(tensorFromJson),
    shapes: json.shapes.map((r) => ({ in: r.in.map(shape), constants: r.const, out: r.out.map(shape) })),
  };
}

function tensorFromJson({ dtype, shape, data }: TensorJson): Tensor {
  return Array.isArray(data)
    ? Tensor.fromStrings(
        shape,
        data.map((s) => Buffer.from(s, 'base64')),
      )
    : Tensor.fromBytes(dtype, shape, new Uint8Array(Buffer.from(data, 'base64')));
}

/** What inference makes of a case's node under one record: its outputs, and what it complained about. */
export function inferCase(test: FixtureCase, record: ShapeRecord) {
  const graph = new Graph();
  const node = test.node();
  node.inputs = test.inputs.map((tensor, i) => {
    if (record.constants.includes(i)) return graph.addConst(`i${i}`, tensor).output();
    const value = graph.add(`i${i}`, 'Placeholder', [], { dtype: attr.type(tensor.dtype) }).output();
    value.dtype = tensor.dtype;
    value.shape = record.in[i];
    return value;
  });
  const diagnostics = new Diagnostics();
  inferNode(node, diagnostics);
  return {
    outputs: test.outputs.map((_, i) => node.output(i)),
    complaints: diagnostics.list.map((d) => d.message),
  };
}

/** Why what Floe inferred does not do; undefined when it does. It may know more than TensorFlow, never less. */
export function shapeFault(
  found: Shape | undefined,
  tensorflow: Shape,
  actual: readonly number[],
): string | undefined {
  if (found == null)
    return tensorflow === null ? undefined : `no rank, TensorFlow infers ${show(tensorflow)}`;
  const fault = `${show(found)}, TensorFlow infers ${show(tensorflow)} and computes ${show([...actual])}`;
  if (found.length !== actual.length) return fault;
  const wrong = found.some((d, i) => d !== actual[i] && (d !== null || (tensorflow?.[i] ?? null) !== null));
  return wrong ? fault : undefined;
}

const show = (shape: Shape) => (shape === null ? '?' : `[${shape.map((d) => d ?? '?').join(',')}]`);

/** Why known elements contradict what was computed; undefined when they do not. */
export function elementsFault(elements: Dim[] | undefined, actual: Tensor): string | undefined {
  if (!elements) return undefined;
  const numbers = actual.toNumbers();
  const wrong = elements.length !== numbers.length || elements.some((d, i) => d !== null && d !== numbers[i]);
  return wrong ? `elements [${elements.join(',')}], TensorFlow computes [${numbers.join(',')}]` : undefined;
}

/** Why a tensor is not TensorFlow's; undefined when it is, up to the op's tolerance. */
export function tensorFault(found: Tensor | undefined, want: Tensor, op: string): string | undefined {
  if (!found) return 'missing';
  if (found.dtype !== want.dtype) return `${found.dtype} instead of ${want.dtype}`;
  if (show([...found.shape]) !== show([...want.shape]))
    return `${show([...found.shape])} instead of ${show([...want.shape])}`;
  if (want.dtype === 'string') {
    const i = want.strings.findIndex((s, k) => Buffer.compare(s, found.strings[k]) !== 0);
    return i < 0
      ? undefined
      : `string ${i} is "${text(found.strings[i])}" instead of "${text(want.strings[i])}"`;
  }
  const kind = dtypeKind(want.dtype);
  const floating = kind === 'float' || kind === 'complex';
  const a = floating ? floatsOf(found) : found.data;
  const b = floating ? floatsOf(want) : want.data;
  const units = TOLERANCE[op] ?? (kind === 'complex' ? COMPLEX_TOLERANCE[op] : undefined) ?? 0;
  const tolerance = units * (UNITS[want.dtype] ?? 0);
  const zeros = ZERO_SIGN_VARIES.has(op) || units > 0;
  const largest = LARGEST_COUNTS.test(op)
    ? (b as Float64Array).reduce((m, v) => Math.max(m, Math.abs(v)), 1)
    : 1;
  for (let i = 0; i < b.length; i++) {
    const [x, y] = [a[i], b[i]];
    if (Object.is(x, y) || (zeros && x === 0 && y === 0)) continue;
    if (
      tolerance > 0 &&
      Math.abs(Number(x) - Number(y)) <= tolerance * Math.max(largest, Math.abs(Number(y)))
    )
      continue;
    return `element ${i} is ${x} instead of ${y}`;
  }
  return undefined;
}

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');

/** A unit in the last place of 1. */
const UNITS: Partial<Record<DType, number>> = {
  float16: 2 ** -10,
  bfloat16: 2 ** -7,
  float32: 2 ** -23,
  complex64: 2 ** -23,
  float64: 2 ** -52,
  complex128: 2 ** -52,
};
