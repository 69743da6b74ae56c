/**
 * Given:  c = Const, large
 * Result: c = ReadVariableOp(h), h = VarHandleOp, and a saver that restores h
 *
 * For graphs that are too large for one message: the values go into a tensor bundle. Whatever the constants kept
 * alive or waited for stays as it was. variables-to-weights.ts is the way back.
 */
import { attr } from '../graph/attr';
import type { Graph, Node } from '../graph/graph';
import { Tensor } from '../tensor/tensor';
import { sharedName } from './variable-uses';

/** Smaller ones are sizes, axes and the like, which loaders want to see in the graph; and they make no graph large. */
const MIN_BYTES = 1 << 10;

/** What restores the variables, as a SaverDef names it. */
export interface Saver {
  /** The tensor that says which file. */
  filename: string;
  /** The node that restores all variables. */
  restore: string;
  /** The tensor that is there once they are saved. */
  save: string;
}

export interface StoredWeights {
  /** By the names in the bundle. */
  values: Map<string, Tensor>;
  variables: { handle: Node; read: Node; assign: Node; restored: string }[];
  saver: Saver;
}

/** Moves the large constants of a graph (not those of its functions) into variables; they have unique names. */
export function weightsToVariables(graph: Graph): StoredWeights {
  const taken = new Set([...graph.nodes.values()].filter((n) => n.op === 'VarHandleOp').map(sharedName));
  const large = [...graph.nodes.values()].flatMap((node) => {
    const tensor = node.constant;
    const isLarge =
      tensor && tensor.dtype !== 'string' && !tensor.splatElement && tensor.byteLength >= MIN_BYTES;
    return isLarge ? [{ node, tensor }] : [];
  });
  const variables = large.map(({ node, tensor }) => {
    const handle = graph.add(`${node.name}/variable`, 'VarHandleOp', [], {
      dtype: attr.type(tensor.dtype),
      shape: attr.shape([...tensor.shape]),
    });
    let name = handle.name;
    while (taken.has(`\0${name}`)) name += '_';
    handle.attrs.set('shared_name', attr.string(name));
    taken.add(sharedName(handle));
    graph.become(node, 'ReadVariableOp', [handle.output()], { dtype: attr.type(tensor.dtype) });
    return { name, handle, read: node, tensor };
  });
  const texts = (name: string, list: readonly string[], shape = [list.length]) =>
    graph
      .addConst(
        name,
        Tensor.fromStrings(
          shape,
          list.map((text) => Buffer.from(text)),
        ),
      )
      .output();
  const filename = texts('save/filename', ['model'], []);
  const names = texts(
    'save/tensor_names',
    variables.map(({ name }) => name),
  );
  const slices = texts(
    'save/shape_and_slices',
    variables.map(() => ''),
  );
  const dtypes = attr.types(variables.map(({ tensor }) => tensor.dtype));
  const reads = variables.map(({ read }) => read.output());
  const write = graph.add('save/SaveV2', 'SaveV2', [filename, names, slices, ...reads], { dtypes });
  const saved = graph.add('save/saved', 'Identity', [filename], { T: attr.type('string') });
  saved.controls = [write];
  const restored = graph.add('save/RestoreV2', 'RestoreV2', [filename, names, slices], { dtypes });
  const assigned = variables.map(({ handle, read, tensor }, i) => {
    const inputs = [handle.output(), restored.output(i)];
    const assign = graph.add(`${handle.name}/assign`, 'AssignVariableOp', inputs, {
      dtype: attr.type(tensor.dtype),
    });
    return { handle, read, assign, restored: restored.output(i).name };
  });
  const all = graph.add('save/restore_all', 'NoOp');
  all.controls = assigned.map(({ assign }) => assign);
  return {
    values: new Map(variables.map(({ name, tensor }) => [name, tensor])),
    variables: assigned,
    saver: { filename: filename.name, restore: all.name, save: saved.output().name },
  };
}
