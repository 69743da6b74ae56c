/** What the passes that freeze a graph share. */
import type { Contract } from '../contract/contract';
import type { Diagnostics } from '../diagnostics/diagnostic';
import type { Node } from '../graph/graph';
import type { CheckpointKey, TableEntry } from './checkpoint-keys';
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
  /**
   * The entry of a variable, `saved` being the name that the graph's saver reads it from; undefined when there is
   * none. Without this function: `saved`, else the variable's own name.
   */
  entryOf?(variable: string, saved: string | undefined): string | undefined;
}

export interface FreezeContext {
  contract: Contract;
  variables?: VariableValues;
  /** Variable name in the graph → name in the checkpoint, as the user says; with `*` and `?` for whole scopes. */
  rename: Readonly<Record<string, string>>;
  /** Patterns that choose among the checkpoint's names. */
  include?: readonly string[];
  exclude?: readonly string[];
  /** Freeze moving averages: variable → its average, as far as the graph says. Undefined: values as trained. */
  averages?: ReadonlyMap<string, string>;
  /** Whether entries of the checkpoint that belong to nothing are told. */
  reportSurplus?: boolean;
  /** Nodes that a SavedModel runs once it is loaded. */
  mainOps?: readonly string[];
  /** Files of the source that string constants of the graph name: tensor → path. */
  assets?: ReadonlyMap<string, string>;
  diagnostics: Diagnostics;
  /** Which entry of the checkpoint each variable is, as the graph's saver says. */
  checkpointKeys?: Map<string, CheckpointKey>;
  /** Which entries hold the contents of mutable lookup tables. */
  tableEntries?: Map<string, TableEntry>;
  /** Nodes that initialise what stays a variable; the pipeline names them in the contract. */
  initializers: Node[];
}
