/** For tests: freezes a source as the stage does, and computes what can be computed without a runtime. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { parseDescriptor } from '../../descriptor/load';
import { Diagnostics, FloeError } from '../../diagnostics/diagnostic';
import { resolveContract } from '../../contract/resolve';
import type { Contract } from '../../contract/contract';
import { attr } from '../../graph/attr';
import type { Graph } from '../../graph/graph';
import { parseInput } from '../../graph/graphdef';
import { foldConstants } from '../../passes/fold-constants';
import type { FreezeContext } from '../../passes/freeze-context';
import { FREEZE_PASSES } from '../../passes/freeze-pipeline';
import { inferShapes } from '../../passes/infer-shapes';
import { runPasses } from '../../passes/pass';
import { Tensor } from '../../tensor/tensor';
import type { DType } from '../../tensor/dtype';
import { loadSource } from '../load-source';

export const FIXTURES = path.join(__dirname, '../fixtures');

interface PlainTensor {
  dtype: DType;
  shape: number[];
  values: (number | string)[];
}

/** What TensorFlow computes from each fixture. */
export const EXPECTED = JSON.parse(fs.readFileSync(path.join(FIXTURES, 'expected.json'), 'utf8')) as Record<
  string,
  { inputs: Record<string, PlainTensor>; outputs: Record<string, PlainTensor> }
>;

export interface Frozen {
  graph: Graph;
  contract: Contract;
  context: FreezeContext;
}

/**
 * @param yaml a model.yaml without its version
 * @param root what its paths are relative to
 * @throws FloeError with everything that is wrong
 */
export function freezeSource(yaml: string, root = FIXTURES): Frozen {
  const { descriptor, diagnostics, place } = parseDescriptor(
    path.join(root, 'model.yaml'),
    `version: 1\n${yaml}`,
  );
  if (!descriptor || diagnostics.length) throw new FloeError(diagnostics);
  const found = new Diagnostics();
  const source = loadSource(descriptor.source, root, descriptor);
  try {
    inferShapes(source.graph, new Diagnostics());
    const contract = resolveContract(descriptor, source.graph, source.signatures, place, found);
    found.throwIfErrors();
    const { rename = {}, include, exclude, variables } = descriptor.freeze;
    const context: FreezeContext = {
      contract,
      variables: source.variables,
      rename,
      include,
      exclude,
      averages: variables === 'ema' ? new Map() : undefined,
      reportSurplus: true,
      mainOps: source.mainOps,
      assets: source.assets,
      diagnostics: found,
      initializers: [],
    };
    runPasses(FREEZE_PASSES, source.graph, context);
    found.throwIfErrors();
    // Values are read while the files are open.
    for (const node of source.graph.nodes.values())
      if (node.constant?.isDeferred) keep(node.constant, node.attrs);
    return { graph: source.graph, contract, context };
  } finally {
    source.close();
  }
}

function keep(tensor: Tensor, attrs: Map<string, ReturnType<typeof attr.tensor>>): void {
  attrs.set('value', attr.tensor(Tensor.fromBytes(tensor.dtype, tensor.shape, tensor.bytes)));
}

/** The outputs of a frozen graph for the inputs of a fixture, by constant folding. */
export function evaluate({ graph, contract }: Frozen, fixture: string): Record<string, number[]> {
  const [signature] = contract.signatures;
  for (const { name, tensor } of signature.inputs) {
    const { dtype, shape, values } = EXPECTED[fixture].inputs[name];
    const value = Tensor.fromNumbers(dtype, shape, values as number[]);
    graph.become(graph.node(parseInput(tensor).name)!, 'Const', [], {
      dtype: attr.type(dtype),
      value: attr.tensor(value),
    });
  }
  inferShapes(graph, new Diagnostics());
  foldConstants(graph, { useShapes: true });
  return Object.fromEntries(
    signature.outputs.map(({ name, tensor }) => {
      const { name: node, index } = parseInput(tensor);
      const end = graph.node(node)!;
      const value = end.op === 'IdentityN' ? end.inputs[index] : end.output(index);
      return [name, value.constant?.toNumbers() ?? []];
    }),
  );
}

/** Asserts that outputs are those of TensorFlow. */
export function expectOutputs(actual: Record<string, number[]>, fixture: string): void {
  const { outputs } = EXPECTED[fixture];
  expect(Object.keys(actual).sort()).toEqual(Object.keys(outputs).sort());
  for (const [name, { values }] of Object.entries(outputs)) {
    expect(actual[name]).toHaveLength(values.length);
    values.forEach((value, i) => expect(actual[name][i]).toBeCloseTo(value as number, 4));
  }
}

/** The diagnostics that freezing ends with. */
export function problemsOf(
  yaml: string,
  root = FIXTURES,
): { code: string; message: string; hint?: string }[] {
  try {
    freezeSource(yaml, root);
  } catch (error) {
    if (error instanceof FloeError)
      return error.diagnostics.map(({ code, message, hint }) => ({ code, message, hint }));
    throw error;
  }
  throw new Error('it was frozen');
}
