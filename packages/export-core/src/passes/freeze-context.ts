/** What the passes that freeze a graph share. */
import type { Contract } from '../contract/contract';
import type { Diagnostics } from '../diagnostics/diagnostic';
import type { Node } from '../graph/graph';
import type { CheckpointKey } from './checkpoint-keys';
import type { DType } from '../tensor/dtype';
import type { Tensor } from '../tensor/tensor';

/** The values of variables, wherever they come from. */
export interface VariableValues {
  /** What they are read from, for messages: the checkpoint's prefix. */
  readonly name: string;
  names(): string[];
  info(name: string): { dtype: DType; shape: readonly number[] } | undefined;
  /** Reads one value; throws FloeError when it is damaged. */
  read(name: string): Tensor;
}

export interface FreezeContext {
  contract: Contract;
  variables?: VariableValues;
  /** Variable name in the graph → name in the checkpoint, as the user says. */
  rename: Readonly<Record<string, string>>;
  diagnostics: Diagnostics;
  /** Which entry of the checkpoint each variable is, as the graph's saver says. */
  checkpointKeys?: Map<string, CheckpointKey>;
  /** Nodes that initialise what stays a variable; the pipeline names them in the contract. */
  initializers: Node[];
}
