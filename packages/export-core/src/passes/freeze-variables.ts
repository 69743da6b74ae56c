/**
 * Given:  v = VariableV2; r = Identity(v)            h = VarHandleOp; r = ReadVariableOp(h)
 * Result: v = Const;      r = Identity(v)            h = Const;       r = Identity(h)
 *
 * Which value of the checkpoint belongs to a variable is what the graph's own saver says (RestoreV2 → Assign),
 * partitions included; without a saver it is the variable's name. Everything that carried the reference or the
 * resource handle then carries the value itself, so its type attribute is mended on the way.
 *
 * A variable that a kept op writes stays one; its initial value goes into an initialiser.
 */
import { attr } from '../graph/attr';
import type { Graph, Node } from '../graph/graph';
import { nearest } from '../diagnostics/suggest';
import type { DType } from '../tensor/dtype';
import { compatible, shapeToString, type Shape } from '../tensor/shape';
import { Tensor } from '../tensor/tensor';
import type { FreezeContext, VariableValues } from './freeze-context';
import { checkpointKeys, type CheckpointKey } from './checkpoint-keys';
import { sliceTensor } from './slice-tensor';

const VARIABLE = /^(VariableV2|Variable|VarHandleOp)$/;
/** Ops that hand a reference or handle on, unchanged. */
const CARRIERS = new Set([
  'Identity',
  'Switch',
  'Merge',
  'Enter',
  'Exit',
  'NextIteration',
  'RefIdentity',
  'RefSwitch',
  'RefMerge',
  'RefEnter',
  'RefExit',
  'RefNextIteration',
]);
const READ_ONLY = new Set([
  'ReadVariableOp',
  'ResourceGather',
  'ResourceGatherNd',
  'VariableShape',
  'VarIsInitializedOp',
  'IsVariableInitialized',
  'DisableCopyOnRead',
]);

export function freezeVariables(graph: Graph, context: FreezeContext): void {
  const variables = [...graph.nodes.values()].filter((n) => VARIABLE.test(n.op));
  if (variables.length === 0) return;
  const { variables: values, diagnostics } = context;
  if (!values) {
    for (const node of variables) {
      diagnostics.error('S008', `"${node.name}" is a variable, and a frozen graph has no values for it`, {
        hint: 'give the checkpoint: source: { checkpoint: …, graph: … }',
        node: node.name,
      });
    }
    return;
  }
  const keys = context.checkpointKeys ?? checkpointKeys(graph, values);
  const consumers = graph.consumers();
  for (const node of variables) {
    const uses = usesOf(node, consumers);
    const value = readValue(node, keys.get(node.name), values, context);
    if (!value) continue;
    if (uses.some((use) => writes(use))) keepVariable(graph, node, value, context);
    else becomeConstant(graph, node, value, uses);
  }
}

/** Every node that sees the variable, directly or through carriers. */
function usesOf(variable: Node, consumers: ReadonlyMap<Node, Node[]>): Node[] {
  const uses = new Set<Node>();
  const stack = [variable];
  for (let node = stack.pop(); node; node = stack.pop()) {
    for (const use of consumers.get(node) ?? []) {
      if (uses.has(use)) continue;
      uses.add(use);
      if (carries(use, node)) stack.push(use);
    }
  }
  return [...uses];
}

function carries(use: Node, from: Node): boolean {
  if (!CARRIERS.has(use.op)) return false;
  // Of a Switch only the data goes on, not the predicate.
  return !use.op.endsWith('Switch') || use.inputs[0].node === from;
}

/** Writes through its reference or handle: the op's definition says which inputs those are. */
function writes(use: Node): boolean {
  if (CARRIERS.has(use.op) || READ_ONLY.has(use.op)) return false;
  if (/^(Assign|Resource|Scatter|CountUpTo|Apply|Sparse\w*Apply)/.test(use.op)) return true;
  return false;
}

function becomeConstant(graph: Graph, node: Node, value: Tensor, uses: readonly Node[]): void {
  graph.become(node, 'Const', [], { dtype: attr.type(value.dtype), value: attr.tensor(value) });
  for (const use of uses) mend(graph, use, value.dtype);
}

/** Lets a node that saw the variable see its value. */
function mend(graph: Graph, use: Node, dtype: DType): void {
  const carried = (): void => {
    if (use.attrs.get('T')?.kind === 'type') use.attrs.set('T', attr.type(dtype));
  };
  switch (use.op) {
    case 'ReadVariableOp':
      graph.become(use, 'Identity', use.inputs, { T: attr.type(dtype) });
      break;
    case 'ResourceGather': {
      const axis = graph.addConst(`${use.name}/axis`, Tensor.scalar('int32', use.int('batch_dims')));
      const attrs = {
        Tparams: attr.type(dtype),
        Tindices: use.attr('Tindices')!,
        Taxis: attr.type('int32'),
        batch_dims: use.attr('batch_dims')!,
      };
      graph.become(use, 'GatherV2', [use.inputs[0], use.inputs[1], axis.output()], attrs);
      break;
    }
    case 'ResourceGatherNd':
      graph.become(use, 'GatherNd', use.inputs, {
        Tparams: attr.type(dtype),
        Tindices: use.attr('Tindices')!,
      });
      break;
    case 'VariableShape':
      graph.become(use, 'Shape', use.inputs, { T: attr.type(dtype), out_type: use.attr('out_type')! });
      break;
    case 'VarIsInitializedOp':
    case 'IsVariableInitialized':
      graph.become(use, 'Const', [], {
        dtype: attr.type('bool'),
        value: attr.tensor(Tensor.scalar('bool', 1)),
      });
      break;
    default:
      if (use.op.startsWith('Ref') && CARRIERS.has(use.op)) use.op = use.op.slice(3);
      if (CARRIERS.has(use.op)) carried();
  }
  use.attrs.delete('_class');
}

/** The value stays in a variable; an initialiser assigns it. */
function keepVariable(graph: Graph, node: Node, value: Tensor, { initializers }: FreezeContext): void {
  const initial = graph.addConst(`${node.name}/initial_value`, value).output();
  const init =
    node.op === 'VarHandleOp'
      ? graph.add(`${node.name}/initialize`, 'AssignVariableOp', [node.output(), initial], {
          dtype: attr.type(value.dtype),
        })
      : graph.add(`${node.name}/initialize`, 'Assign', [node.output(), initial], {
          T: attr.type(value.dtype),
        });
  initializers.push(init);
}

/** The value of one variable, checked against the graph; undefined after a diagnostic. */
function readValue(
  node: Node,
  key: CheckpointKey | undefined,
  values: VariableValues,
  context: FreezeContext,
): Tensor | undefined {
  const { diagnostics, rename } = context;
  const name = rename[node.name] ?? key?.name ?? node.name;
  const info = values.info(name);
  if (!info) {
    const near = nearest(name, values.names());
    diagnostics.error(
      'S008',
      `variable "${node.name}" is not in the checkpoint ${values.name}${name === node.name ? '' : ` (as "${name}")`}`,
      {
        hint: near.length ? `did you mean ${near.map((n) => `"${n}"`).join(' or ')}?` : undefined,
        node: node.name,
      },
    );
    return undefined;
  }
  const dtype = node.type('dtype');
  const shape: Shape = key?.slice ? key.slice.map((s) => s.length) : [...info.shape];
  const declared = node.shape('shape');
  if (info.dtype !== dtype || !compatible(shape, declared)) {
    diagnostics.error(
      'S009',
      `variable "${node.name}" is ${dtype} ${shapeToString(declared)} in the graph and ${info.dtype} ${shapeToString(shape)} in the checkpoint`,
      {
        hint: 'is this the checkpoint of this graph?',
        node: node.name,
      },
    );
    return undefined;
  }
  const read = (): Tensor => (key?.slice ? sliceTensor(values.read(name), key.slice) : values.read(name));
  if (dtype === 'string') return read();
  // Read when the frozen graph is written, or when a fold needs it: not all weights are held at once.
  return Tensor.deferred(dtype, key?.slice ? key.slice.map((s) => s.length) : info.shape, () => read().bytes);
}
