/**
 * Given:  v = VariableV2; r = Identity(v)            h = VarHandleOp; r = ReadVariableOp(h)
 * Result: v = Const;      r = Identity(v)            h = Const;       r = Identity(h)
 *
 * Everything that carried the reference or the resource handle then carries the value itself, into the bodies of
 * While, If and Case too, so its type attributes are mended on the way. Where the values come from is
 * variable-entry.ts.
 *
 * A variable that a kept op writes stays one; its initial value goes into an initialiser.
 */
import { attr, type Attr } from '../graph/attr';
import type { Graph, Node, Value } from '../graph/graph';
import { dtypeSize, type DType } from '../tensor/dtype';
import { elementCount, isStatic } from '../tensor/shape';
import { MAX_TENSOR_BYTES, Tensor } from '../tensor/tensor';
import type { FreezeContext } from './freeze-context';
import { branchesOf } from './function-calls';
import { VariableEntries } from './variable-entry';
import { sharedName, variableGroups, type VariableGroup } from './variable-uses';

export function freezeVariables(graph: Graph, context: FreezeContext): void {
  const groups = variableGroups(graph);
  const { variables: values, diagnostics } = context;
  if (!values) {
    const [first, ...others] = groups.flatMap((g) => g.variables).map(({ node }) => node.name);
    if (first === undefined) return;
    for (const group of groups) standIn(graph, group, []);
    const more = others.length ? ` and ${others.length} more are variables` : ' is a variable';
    diagnostics.error(
      'S008',
      `the graph is not frozen: "${first}"${more}, and the source has no values for them`,
      {
        hint: 'source: { checkpoint: model.ckpt-1000, graph: graph.pb }, in place of frozenGraph',
        node: first,
      },
    );
    return;
  }
  const entries = new VariableEntries(graph, values, context);
  for (const group of groups) {
    const found = group.variables.map(({ node }) => entries.value(node));
    if (found.some((value) => !value)) standIn(graph, group, found);
    else if (group.written)
      group.variables.forEach(({ node }, i) => keepVariable(graph, node, found[i]!, context));
    else becomeConstants(graph, group, found as Tensor[]);
  }
  entries.summarise();
}

/** After an error: zeros in place of the values that are missing, so that everything else can be checked too. */
function standIn(graph: Graph, group: VariableGroup, found: readonly (Tensor | undefined)[]): void {
  const values = group.variables.map(({ node }, i) => found[i] ?? zeros(node));
  if (!values.includes(undefined)) becomeConstants(graph, group, values as Tensor[]);
}

function zeros(variable: Node): Tensor | undefined {
  const dtype = variable.type('dtype');
  const shape = variable.shape('shape');
  const size = dtypeSize(dtype);
  if (!isStatic(shape) || size === 0 || elementCount(shape) * size > MAX_TENSOR_BYTES) return undefined;
  return Tensor.filled(dtype, shape, new Uint8Array(size));
}

function becomeConstants(graph: Graph, group: VariableGroup, values: readonly Tensor[]): void {
  const { dtype } = values[0];
  group.variables.forEach(({ node, graph: where }, i) => {
    where.become(node, 'Const', [], { dtype: attr.type(dtype), value: attr.tensor(values[i]) });
  });
  const shapes = new Set(values.map((value) => String(value.shape)));
  for (const value of group.values)
    retype(graph, value, dtype, shapes.size === 1 ? values[0].shape : undefined);
  for (const [use, where] of group.uses) mend(graph, where, use, group, dtype);
}

/** Lets a value that was the handle have the type of the variable. */
function retype(graph: Graph, value: Value, dtype: DType, shape: readonly number[] | undefined): void {
  const { node, index } = value;
  value.dtype = dtype;
  value.shape = shape ? [...shape] : null;
  if (node.op === '_Arg') {
    node.attrs = new Map<string, Attr>([
      ['T', attr.type(dtype)],
      ['index', node.attr('index')!],
    ]);
    if (shape) node.attrs.set('shape', attr.shape([...shape]));
    return;
  }
  const branching = branchesOf(graph.functions, node);
  if (branching) setType(node, branching.outputTypes, index, dtype);
  else if (node.op === 'IdentityN') setType(node, 'T', index, dtype);
}

function setType(node: Node, name: string, index: number, dtype: DType): void {
  const list = node.attrs.get(name);
  if (list?.kind !== 'list') return;
  // Attributes of copied nodes share their lists.
  node.attrs.set(name, {
    kind: 'list',
    value: list.value.map((t, i) => (i === index ? attr.type(dtype) : t)),
  });
}

/** Lets a node that saw the variable see its value. */
function mend(graph: Graph, where: Graph, use: Node, group: VariableGroup, dtype: DType): void {
  const branching = branchesOf(graph.functions, use);
  if (branching) {
    use.inputs.forEach((input, i) => {
      if (i >= branching.firstInput && group.values.has(input))
        setType(use, branching.inputTypes, i - branching.firstInput, dtype);
    });
    return;
  }
  switch (use.op) {
    case 'ReadVariableOp':
      where.become(use, 'Identity', use.inputs, { T: attr.type(dtype) });
      break;
    case 'ResourceGather': {
      const axis = where.addConst(`${use.name}/axis`, Tensor.scalar('int32', use.int('batch_dims')));
      const attrs = {
        Tparams: attr.type(dtype),
        Tindices: use.attr('Tindices')!,
        Taxis: attr.type('int32'),
        batch_dims: use.attr('batch_dims')!,
      };
      where.become(use, 'GatherV2', [use.inputs[0], use.inputs[1], axis.output()], attrs);
      break;
    }
    case 'ResourceGatherNd':
      where.become(use, 'GatherNd', use.inputs, {
        Tparams: attr.type(dtype),
        Tindices: use.attr('Tindices')!,
      });
      break;
    case 'VariableShape':
      where.become(use, 'Shape', use.inputs, { T: attr.type(dtype), out_type: use.attr('out_type')! });
      break;
    case 'VarIsInitializedOp':
    case 'IsVariableInitialized':
      where.become(use, 'Const', [], {
        dtype: attr.type('bool'),
        value: attr.tensor(Tensor.scalar('bool', 1)),
      });
      break;
    case 'DisableCopyOnRead':
      where.become(use, 'NoOp', [], {});
      break;
    default:
      if (/^Ref(Identity|Switch|Merge|Enter|Exit|NextIteration)$/.test(use.op)) use.op = use.op.slice(3);
      if (use.attrs.get('T')?.kind === 'type' && use.inputs.length && group.values.has(use.output()))
        use.attrs.set('T', attr.type(dtype));
  }
  use.attrs.delete('_class');
}

/** The value stays in a variable; an initialiser assigns it. */
function keepVariable(graph: Graph, node: Node, value: Tensor, { initializers }: FreezeContext): void {
  const isRef = node.op !== 'VarHandleOp';
  // Whatever its node is called, in a body or in a copy of the graph: it is found by this name.
  const name = sharedName(node).replace(/^.*\0/, '');
  if (!isRef) node.attrs.set('shared_name', attr.string(name));
  if (initializers.some((init) => init.inputs[0] && sharedName(init.inputs[0].node) === sharedName(node)))
    return;
  let handle = graph.node(node.name) === node ? node : undefined;
  if (!handle) {
    handle = graph.add(name, node.op);
    handle.attrs = new Map(node.attrs);
  }
  const initial = graph.addConst(`${node.name}/initial_value`, value).output();
  const inputs = [handle.output(), initial];
  initializers.push(
    isRef
      ? graph.add(`${node.name}/initialize`, 'Assign', inputs, { T: attr.type(value.dtype) })
      : graph.add(`${node.name}/initialize`, 'AssignVariableOp', inputs, { dtype: attr.type(value.dtype) }),
  );
}
