/**
 * The contract: what a GraphDef cannot say of a model. Which tensors are its inputs and outputs, under which names,
 * in which order, of which type and shape; which nodes initialise it. Written as `frozen/contract.json`.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FloeError } from '../diagnostics/diagnostic';
import type { DType } from '../tensor/dtype';
import type { Shape } from '../tensor/shape';

export interface TensorSpec {
  /** The name users and data files know it by. */
  name: string;
  /** The tensor in the frozen graph, `scope/node:0`. */
  tensor: string;
  dtype: DType;
  /** Sizes, null where any size is allowed; null in place of the list for any rank. */
  shape: Shape;
}

export interface Signature {
  key: string;
  inputs: TensorSpec[];
  outputs: TensorSpec[];
}

export interface Contract {
  version: 1;
  signatures: Signature[];
  /** Nodes to run once before the first inference: table and state initialisers, in order. */
  initializers: string[];
  /** Where the frozen graph is too large for `graph.pb`: the SavedModel beside the contract that holds it. */
  graph?: 'saved_model';
}

/** The signature of models that declare inputs and outputs without naming a signature. */
export const DEFAULT_SIGNATURE = 'serving_default';

/** Every input of every signature, each tensor once, in order. */
export function contractInputs(contract: Contract): TensorSpec[] {
  return unique(contract.signatures.flatMap((s) => s.inputs));
}

/** Every output of every signature, each tensor once, in order. */
export function contractOutputs(contract: Contract): TensorSpec[] {
  return unique(contract.signatures.flatMap((s) => s.outputs));
}

function unique(specs: TensorSpec[]): TensorSpec[] {
  return [...new Map(specs.map((s) => [s.tensor, s])).values()];
}

/**
 * The contract that freeze wrote.
 *
 * @param dist where a model's artefacts lie
 * @throws FloeError K003 when it is not there or damaged
 */
export function readContract(dist: string): Contract {
  const file = join(dist, 'frozen', 'contract.json');
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Contract;
  } catch (error) {
    throw new FloeError({
      code: 'K003',
      severity: 'error',
      message: `${file} cannot be read: ${(error as Error).message}`,
      hint: 'run freeze again',
    });
  }
}
