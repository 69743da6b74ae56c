/** Ops that the passes over control flow replace, for docs/ops.md: what becomes of each. */
import { LIST_ROWS } from './tensor-lists/list-rows';

const RECURRENT: Record<string, string> = {
  BlockLSTM: 'WHILE over the steps',
  BlockLSTMV2: 'WHILE over the steps',
  LSTMBlockCell: 'matrix product and elementwise operators',
  GRUBlockCell: 'matrix products and elementwise operators',
};

const OLD_LOOPS = ['Enter', 'Exit', 'NextIteration', 'LoopCond', 'RefEnter', 'RefExit', 'RefNextIteration'];
const OLD_BRANCHES = ['Switch', 'Merge', 'RefSwitch', 'RefMerge', '_SwitchN'];
const ARRAY_OPS = ['', 'Write', 'Read', 'Gather', 'Scatter', 'Size', 'Concat', 'Split', 'Close'];

/** Op → what stands in its place, sorted by op. */
export function controlFlowOps(): Map<string, string> {
  const list = 'one tensor, whose first axis counts the elements; element shape known';
  const entries: [string, string][] = [
    ...OLD_LOOPS.map((op): [string, string] => [op, 'WHILE']),
    ...OLD_BRANCHES.map((op): [string, string] => [op, 'IF']),
    ['Case', 'nested IFs; the branch itself for a constant index'],
    ['StatelessCase', 'nested IFs; the branch itself for a constant index'],
    ['PartitionedCall', 'the body of the function'],
    ['StatefulPartitionedCall', 'the body of the function'],
    ...Object.keys(LIST_ROWS).map((op): [string, string] => [op, list]),
    ...['V2', 'V3'].flatMap((v) => ARRAY_OPS.map((op): [string, string] => [`TensorArray${op}${v}`, list])),
    ...Object.entries(RECURRENT),
  ];
  return new Map(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
