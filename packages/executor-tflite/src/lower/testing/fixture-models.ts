/** Puts op fixtures through conversion and the wasm runtime: many cases in one model, so that a family takes a second. */
import {
  argLength,
  attr,
  Diagnostics,
  dtypeKind,
  foldConstants,
  Graph,
  inferShapes,
  joinPieces,
  Tensor,
  type Pass,
  type Shape,
  type Signature,
  type Value,
} from '@floe/export-core';
import {
  fixtureFamilies,
  loadFixtures,
  type FixtureCase,
} from '../../../../export-core/src/ops/testing/fixtures';
import { floatsOf } from '../../../../export-core/src/ops/kernels/elementwise';
import { lowerModel } from '../../convert/convert-graph';
import { lowerBatchNorm } from '../../prepare/lower-batch-norm';
import type { PrepareContext } from '../../prepare/prepare';
import { REWRITE_PASSES } from '../../prepare/rewrite-passes';
import { upgradeVersions } from '../../prepare/upgrade-versions';
import { writeModel } from '../../tflite/write';
import { CannotRun } from '../../verify/cannot-run';
import { runTflite } from '../../verify/litert';

/**
 * The families of fixtures with the cases that `select` takes, without those that have none. Fake quantisation is no
 * op of its own in a float model: it becomes the ranges of tensors.
 */
export function fixturesByFamily(select: (cases: FixtureCase[]) => FixtureCase[]): [string, FixtureCase[]][] {
  return fixtureFamilies()
    .filter((family) => family !== 'quantize')
    .map((family): [string, FixtureCase[]] => [family, select(loadFixtures(family))])
    .filter(([, cases]) => cases.length > 0);
}

/** Settings that the op's definition does not tell from data. */
const SETTINGS: Record<string, number[]> = {
  Fill: [0],
  Bincount: [1],
  DenseBincount: [1],
  SparseTensorDenseMatMul: [0, 1, 2],
  NonMaxSuppressionV5: [2, 3, 4, 5],
  FakeQuantWithMinMaxArgs: [],
  FakeQuantWithMinMaxVars: [1, 2],
  FakeQuantWithMinMaxVarsPerChannel: [1, 2],
  QuantizeAndDequantizeV2: [1, 2],
  QuantizeAndDequantizeV3: [1, 2, 3],
  QuantizeAndDequantizeV4: [1, 2],
};

/** How much the converter is told of a case. */
export type Known =
  /** What says how (axes, sizes, shapes) is constant, as in graphs that people write. */
  | 'settings'
  /** The same, but no size of the main input. */
  | 'ranks'
  /** No input is constant; sizes are known. */
  | 'sizes';

/** Which inputs become constants. */
function isSetting(test: FixtureCase, index: number, known: Known): boolean {
  if (known === 'sizes') return false;
  const listed = SETTINGS[test.op];
  if (listed) return listed.includes(index);
  const node = test.node();
  const main = node.def!.inputs.find((a) => a.type.includes('@'))?.type.replace(/^\*\w+:/, '');
  const types = node.def!.inputs.flatMap((a) => new Array<string>(argLength(node, a)).fill(a.type));
  return test.inputs[index].dtype !== 'resource' && types[index].replace(/^\*\w+:/, '') !== main;
}

/** The outputs that inference reads: a batch norm's others are for its gradient. */
function outputsOf(test: FixtureCase): Tensor[] {
  return /^FusedBatchNorm/.test(test.op) ? test.outputs.slice(0, 1) : test.outputs;
}

export interface Outcome {
  /** Case → why it is not converted. */
  refused: Map<string, string>;
  /** Case → how its result is not TensorFlow's, or why it did not run. */
  wrong: Map<string, string>;
  /** Cases that ran and agree. */
  right: string[];
  /** Cases that are converted but that the wasm runtime does not take: strings, tensors without elements. */
  notRun: string[];
}

const PASSES: Pass<PrepareContext>[] = [
  { name: 'upgradeVersions', run: upgradeVersions },
  { name: 'lowerBatchNorm', run: lowerBatchNorm },
  ...REWRITE_PASSES,
];

interface Built {
  bytes: Uint8Array;
  inputs: Map<string, Tensor>;
  refused: Map<number, string>;
  operators: string[][];
}

/** One model of several cases. */
function build(tests: readonly FixtureCase[], known: Known): Built {
  const graph = new Graph();
  const inputs = new Map<string, Tensor>();
  const signature: Signature = { key: 'serving_default', inputs: [], outputs: [] };
  tests.forEach((test, i) => {
    const values = test.inputs.map((tensor, k): Value => {
      if (isSetting(test, k, known)) return graph.addConst(`c${i}_${k}`, tensor).output();
      const name = `i${i}_${k}`;
      const shape: Shape = known === 'ranks' ? tensor.shape.map(() => null) : [...tensor.shape];
      inputs.set(name, tensor);
      signature.inputs.push({ name, tensor: `${name}:0`, dtype: tensor.dtype, shape });
      return graph
        .add(name, 'Placeholder', [], { dtype: attr.type(tensor.dtype), shape: attr.shape(shape) })
        .output();
    });
    graph.add(`n${i}`, test.op, values, Object.fromEntries(test.node().attrs));
    outputsOf(test).forEach((tensor, k) => {
      signature.outputs.push({ name: `o${i}_${k}`, tensor: `n${i}:${k}`, dtype: tensor.dtype, shape: null });
    });
  });
  const context = { signatures: [signature], diagnostics: new Diagnostics() };
  inferShapes(graph, new Diagnostics());
  foldConstants(graph, { useShapes: true });
  inferShapes(graph, new Diagnostics());
  for (const pass of PASSES) pass.run(graph, context);
  const model = lowerModel(graph, context, context.diagnostics);
  const refused = new Map<number, string>();
  for (const { node, message } of context.diagnostics.list) {
    const index = /^[nic](\d+)/.exec(node ?? '')?.[1];
    if (index === undefined) throw new Error(message);
    refused.set(Number(index), message.replace(/^\w+ "[^"]*" cannot be converted: /, ''));
  }
  const operators = tests.map((): string[] => []);
  for (const { source, code } of model.subgraphs[0].ops) {
    const index = /^n(\d+)(\/|$)/.exec(source)?.[1];
    if (index !== undefined) operators[Number(index)].push(code);
  }
  const bytes = refused.size ? new Uint8Array(0) : joinPieces(writeModel(model));
  return { bytes, inputs, refused, operators };
}

/** The operators one case is lowered to. */
export function operatorsOf(test: FixtureCase, known: Known = 'settings'): string[] {
  const built = build([test], known);
  const [reason] = built.refused.values();
  if (reason !== undefined) throw new Error(reason);
  return built.operators[0];
}

/** The operators of each case that is converted; cases whose inputs are all settings have none left. */
export function lowerCases(tests: readonly FixtureCase[]): Map<FixtureCase, string[]> {
  const lowered = new Map<FixtureCase, string[]>();
  for (let i = 0; i < tests.length; i += BATCH) {
    const batch = tests.slice(i, i + BATCH);
    const { refused, operators } = build(batch, 'settings');
    batch.forEach((test, k) => refused.has(k) || lowered.set(test, operators[k]));
  }
  return lowered;
}

/** Converts the cases and runs what can be run. */
export async function convertAndRun(
  tests: readonly FixtureCase[],
  known: Known = 'settings',
): Promise<Outcome> {
  const outcome: Outcome = { refused: new Map(), wrong: new Map(), right: [], notRun: [] };
  const { refused } = build(tests, known);
  refused.forEach((reason, i) => outcome.refused.set(tests[i].name, reason));
  const converted = tests.filter((_, i) => !refused.has(i));
  const runnable = converted.filter((t) => canRun(t, known));
  const others = converted.filter((t) => !canRun(t, known));
  outcome.notRun = others.map((t) => t.name);
  // Those must be writable at least.
  build(others, known);
  for (let i = 0; i < runnable.length; i += BATCH) await run(runnable.slice(i, i + BATCH), known, outcome);
  return outcome;
}

const BATCH = 64;

function canRun(test: FixtureCase, known: Known): boolean {
  const tensors = [...test.inputs, ...outputsOf(test)];
  const foreign = new Set(['string', 'complex128']);
  return (
    tensors.every((t) => !foreign.has(t.dtype) && t.size > 0) &&
    !test.inputs.every((_, i) => isSetting(test, i, known))
  );
}

/** Runs cases together; where that fails, halves of them, so that one that fails says so alone. */
async function run(tests: readonly FixtureCase[], known: Known, outcome: Outcome): Promise<void> {
  if (!tests.length) return;
  const { bytes, inputs } = build(tests, known);
  let results: Map<string, Tensor>;
  try {
    results = await runTflite(bytes, inputs);
  } catch (error) {
    if (!(error instanceof CannotRun)) throw error;
    if (tests.length === 1) {
      outcome.wrong.set(tests[0].name, error.reason);
      return;
    }
    const half = tests.length >> 1;
    await run(tests.slice(0, half), known, outcome);
    await run(tests.slice(half), known, outcome);
    return;
  }
  tests.forEach((test, i) => {
    const faults = outputsOf(test).map((want, k) => fault(results.get(`o${i}_${k}`), want, test));
    const found = faults.find((f) => f !== undefined);
    if (found === undefined) outcome.right.push(test.name);
    else outcome.wrong.set(test.name, found);
  });
}

/** The float kernels' own tolerance, and that of types with fewer digits. */
const RELATIVE: Record<string, number> = { float16: 2e-3, bfloat16: 2e-2 };

/**
 * Why a tensor is not TensorFlow's; undefined where it is. Two things kernels leave open are not compared: what
 * becomes of NaN, and integers made of floats that they cannot hold.
 */
function fault(found: Tensor | undefined, want: Tensor, test: FixtureCase): string | undefined {
  if (!found) return 'missing';
  if (found.dtype !== want.dtype) return `${found.dtype} instead of ${want.dtype}`;
  if (String(found.shape) !== String(want.shape)) return `[${found.shape}] instead of [${want.shape}]`;
  const floating = isFloating(want);
  const a = floating ? floatsOf(found) : found.data;
  const b = floating ? floatsOf(want) : want.data;
  const source = test.op === 'Cast' && !floating && isFloating(test.inputs[0]) ? test.inputs[0] : undefined;
  const relative = RELATIVE[want.dtype] ?? 1e-4;
  let largest = 1;
  if (floating) for (const v of b) if (Number.isFinite(v)) largest = Math.max(largest, Math.abs(v as number));
  for (let i = 0; i < b.length; i++) {
    const [x, y] = [a[i], b[i]];
    if (x === y || Number.isNaN(y)) continue;
    if (source && Math.abs(Math.trunc(realOf(source, i)) - Number(y)) > 0.5) continue;
    if (
      floating &&
      Math.abs(Number(x) - Number(y)) <= relative * Math.abs(Number(y)) + 0.1 * relative * largest
    )
      continue;
    return `element ${i} is ${x} instead of ${y}`;
  }
  return undefined;
}

function isFloating({ dtype }: Tensor): boolean {
  const kind = dtypeKind(dtype);
  return kind === 'float' || kind === 'complex';
}

/** The real part of an element. */
function realOf(tensor: Tensor, i: number): number {
  return floatsOf(tensor)[dtypeKind(tensor.dtype) === 'complex' ? 2 * i : i];
}
