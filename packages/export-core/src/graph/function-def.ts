/**
 * The function library: bodies of PartitionedCall, While, If and friends, to graphs and back.
 *
 * Inside a FunctionDef an input is `argument`, `node:output_name:index` or `^node`; outside of it is `node:index`.
 * The names are those of the op's definition, so `ConcatV2:output:0` is output 0.
 */
import type { FunctionDef, Message, MessageInit, NodeDef } from '../format/proto';
import { FloeError } from '../diagnostics/diagnostic';
import { argLength, type ArgDef } from '../ops/op-def';
import { dtypeCode, dtypeFromCode, type DType } from '../tensor/dtype';
import { attr, functionsIn, type Attr } from './attr';
import { attrFromProto, attrsFromProto, MAX_OUTPUTS, nodeFromDef, type Problems } from './graphdef';
import { FunctionGraph, type Graph, type Node, type Value } from './graph';
import { attrsToProto, nodeToProto } from './write-graphdef';

/**
 * The functions that a graph needs, by name, in the order of the library. The others stay undecoded: no output can be
 * in them.
 */
export function functionsFromProto(
  library: Message<'FunctionDefLibrary'>,
  graph: Graph,
  problems: Problems,
): Map<string, FunctionGraph> {
  const definitions = new Map(library.function.map((f) => [f.signature?.name ?? '', f]));
  const found = new Map<string, FunctionGraph>();
  const open: Graph[] = [graph];
  for (let part = open.pop(); part; part = open.pop()) {
    for (const node of part.nodes.values()) {
      for (const name of [node.op, ...functionsIn(node.attrs.values()).map((ref) => ref.name)]) {
        const def = found.has(name) ? undefined : definitions.get(name);
        if (!def) continue;
        const body = functionFromProto(def, definitions, problems);
        found.set(name, body);
        open.push(body);
      }
    }
  }
  const functions = new Map<string, FunctionGraph>();
  for (const name of definitions.keys()) {
    const body = found.get(name);
    if (body) functions.set(name, body);
  }
  return functions;
}

function functionFromProto(
  def: FunctionDef,
  signatures: ReadonlyMap<string, FunctionDef>,
  problems: Problems,
): FunctionGraph {
  const graph = new FunctionGraph(def.signature?.name ?? '');
  graph.attrs = attrsFromProto(def.attr);
  // Written anew from the arguments themselves, whose types freezing changes.
  const inputShapes = graph.attrs.get('_input_shapes');
  graph.attrs.delete('_input_shapes');
  def.signature?.input_arg.forEach((arg, index) => {
    const node = graph.add(arg.name, '_Arg', [], {
      T: attr.type(dtypeFromCode(arg.type) ?? 'variant'),
      index: attr.int(index),
    });
    if (arg.type_attr) node.attrs.set('T', { kind: 'placeholder', value: arg.type_attr });
    const shape =
      argShape(def, index) ?? (inputShapes?.kind === 'list' ? inputShapes.value[index] : undefined);
    if (shape?.kind === 'shape') node.attrs.set('shape', shape);
    graph.args.push(node);
  });
  for (const nodeDef of def.node_def) {
    if (graph.nodes.has(nodeDef.name))
      problems.add(`two nodes of function "${graph.name}" are named "${nodeDef.name}"`, nodeDef.name);
    else graph.nodes.set(nodeDef.name, nodeFromDef(nodeDef, problems));
  }
  // The outputs of a custom op are named nowhere; as long as only one is read, it is taken for the first.
  const customNames = new Map<Node, string>();
  const customBase = (node: Node, output: string): number | undefined => {
    if (node.def || signatures.has(node.op)) return undefined;
    if (!customNames.has(node)) customNames.set(node, output);
    return customNames.get(node) === output ? 0 : undefined;
  };
  const resolve = (text: string): Value | undefined => {
    const [name, output, index] = text.split(':');
    const node = graph.nodes.get(name);
    if (!node) return undefined;
    if (output === undefined) return node.output(0);
    const base = outputBase(node, output, signatures) ?? customBase(node, output);
    const at = Number(index ?? 0);
    return base === undefined || !(at >= 0 && at < MAX_OUTPUTS) ? undefined : node.output(base + at);
  };
  for (const nodeDef of def.node_def) joinInputs(graph, nodeDef, resolve, problems);
  for (const result of def.signature?.output_arg ?? []) {
    const text = def.ret[result.name];
    const value = text === undefined ? undefined : resolve(text);
    if (!value)
      problems.add(
        `result "${result.name}" of function "${graph.name}" is "${text}", which is not in it`,
        graph.name,
      );
    else {
      graph.results.push(value);
      graph.resultNames.push(result.name);
    }
  }
  for (const name of Object.values(def.control_ret)) {
    const node = graph.nodes.get(name);
    if (node) graph.controlResults.push(node);
  }
  return graph;
}

/** The shape that a function notes of an argument. */
function argShape(def: FunctionDef, index: number): Attr | undefined {
  const noted = def.arg_attr[index]?.attr._output_shapes;
  const shapes = noted && attrFromProto(noted);
  return shapes?.kind === 'list' && shapes.value.length === 1 ? shapes.value[0] : undefined;
}

function joinInputs(
  graph: FunctionGraph,
  def: NodeDef,
  resolve: (text: string) => Value | undefined,
  problems: Problems,
): void {
  const node = graph.nodes.get(def.name)!;
  if (node.inputs.length || node.controls.length) return;
  for (const text of def.input) {
    const control = text.startsWith('^') ? graph.nodes.get(text.slice(1)) : undefined;
    const value = control ? undefined : resolve(text);
    if (control) node.controls.push(control);
    else if (value) node.inputs.push(value);
    else
      problems.add(`"${def.name}" in function "${graph.name}" reads "${text}", which is not in it`, def.name);
  }
}

/** The flat index of the first tensor of a named output. */
function outputBase(
  node: Node,
  output: string,
  signatures: ReadonlyMap<string, FunctionDef>,
): number | undefined {
  let base = 0;
  for (const arg of outputArgs(node, signatures)) {
    if (arg.name === output) return base;
    base += argLength(node, arg);
  }
  return undefined;
}

/** The outputs of an op, or of the function that a node calls by using its name as the op. */
function outputArgs(node: Node, signatures: ReadonlyMap<string, FunctionDef>): readonly ArgDef[] {
  if (node.def) return node.def.outputs;
  return (signatures.get(node.op)?.signature?.output_arg ?? []).map((arg) => ({
    name: arg.name,
    type: dtypeFromCode(arg.type) ?? 'variant',
    isRef: false,
  }));
}

// ------------------------------------------------------------------ writing

/** The FunctionDef of a function graph; values are named by the op definitions' outputs. */
export function functionToProto(
  graph: FunctionGraph,
  dtypes: { args: DType[]; results: DType[] },
): MessageInit<'FunctionDef'> {
  const args = new Set(graph.args);
  const name = (value: Value): string => {
    if (args.has(value.node)) return value.node.name;
    let rest = value.index;
    for (const arg of value.node.def?.outputs ?? []) {
      const length = argLength(value.node, arg);
      if (rest < length) return `${value.node.name}:${arg.name}:${rest}`;
      rest -= length;
    }
    throw new FloeError({
      code: 'G008',
      severity: 'error',
      message: `"${value.node.name}" in function "${graph.name}" is a ${value.node.op}, a custom op whose outputs have no known names there`,
      hint: 'outside of loops and branches custom ops can be frozen',
      node: value.node.name,
    });
  };
  const shapes = graph.args.map((node) => node.attrs.get('shape'));
  const ret = Object.fromEntries(graph.results.map((value, i) => [graph.resultNames[i], name(value)]));
  return {
    signature: {
      name: graph.name,
      input_arg: graph.args.map((node, i) => ({ name: node.name, type: dtypeCode(dtypes.args[i]) })),
      output_arg: graph.resultNames.map((resultName, i) => ({
        name: resultName,
        type: dtypeCode(dtypes.results[i]),
      })),
      control_output: graph.controlResults.map((node) => node.name),
      is_stateful: [...graph.nodes.values()].some((node) => !args.has(node) && node.def?.stateful !== false),
    },
    node_def: [...graph.nodes.values()].filter((n) => !args.has(n)).map((node) => nodeToProto(node, name)),
    ret,
    control_ret: Object.fromEntries(graph.controlResults.map((node) => [node.name, node.name])),
    attr: attrsToProto(graph.attrs),
    arg_attr: Object.fromEntries(
      shapes.flatMap((shape, i) =>
        shape?.kind === 'shape'
          ? [[i, { attr: attrsToProto(new Map([['_output_shapes', { kind: 'list', value: [shape] }]])) }]]
          : [],
      ),
    ),
  };
}
