/** A graph as the JSON that tfjs-converter reads: nodes without weights, and the weights beside it. */
import { dtypeCode, type Attr, type Graph, type Node, type Tensor, type Value } from '@floe/export-core';

/** GraphDef in protobuf's JSON form. */
export interface Topology {
  node: object[];
  library: { function: object[] };
  versions: object;
}

export interface GraphParts {
  topology: Topology;
  /** Every constant, by the name its node has in the topology. */
  constants: Map<string, Tensor>;
}

/**
 * @param keep the nodes that are needed
 * @param fed names of nodes whose values are given: they become placeholders
 */
export function graphParts(graph: Graph, keep: ReadonlySet<Node>, fed: ReadonlySet<string>): GraphParts {
  const constants = new Map<string, Tensor>();
  const collect = (nodes: Iterable<Node>, name: (node: Node) => string) => {
    const list = [...nodes];
    for (const node of list) if (node.constant) constants.set(name(node), node.constant);
    return list.map((node) => nodeJson(node, name));
  };
  const kept = [...graph.nodes.values()].filter((n) => keep.has(n));
  const node = [
    ...kept
      .filter((n) => fed.has(n.name))
      .map((n) => ({ name: n.name, op: 'Placeholder', input: [], attr: {} })),
    ...collect(
      kept.filter((n) => !fed.has(n.name)),
      (n) => n.name,
    ),
  ];
  const functions = [...graph.functions.values()].map((body) => {
    // Weights have one name space for all functions, so names say which they are of.
    const name = (n: Node) => `${body.name}//${n.name}`;
    const args = new Set(body.args);
    return {
      signature: {
        name: body.name,
        inputArg: body.args.map((a) => ({ name: name(a), type: dtypeCode(a.output().dtype ?? 'float32') })),
        outputArg: body.resultNames.map((result) => ({ name: result })),
      },
      nodeDef: collect(
        [...body.nodes.values()].filter((n) => !args.has(n)),
        name,
      ),
      ret: Object.fromEntries(body.results.map((v, i) => [body.resultNames[i], reference(v, name)])),
    };
  });
  return { topology: { node, library: { function: functions }, versions: { producer: 1 } }, constants };
}

function reference(value: Value, name: (node: Node) => string): string {
  return value.index === 0 ? name(value.node) : `${name(value.node)}:${value.index}`;
}

function nodeJson(node: Node, name: (node: Node) => string): object {
  const attr: Record<string, object> = {};
  // Files leave out what equals the op's default; tfjs has defaults of its own.
  for (const { name: key, defaultValue } of node.def?.attrs ?? [])
    if (defaultValue) attr[key] = attrJson(defaultValue);
  for (const [key, value] of node.attrs) if (key !== 'value' || !node.constant) attr[key] = attrJson(value);
  return { name: name(node), op: node.op, input: node.inputs.map((v) => reference(v, name)), attr };
}

function attrJson(attr: Attr): object {
  switch (attr.kind) {
    case 'string':
      return { s: Buffer.from(attr.value).toString('base64') };
    case 'int':
      return { i: Number(attr.value) };
    case 'float':
      return { f: attr.value };
    case 'bool':
      return { b: attr.value };
    case 'type':
      return { type: dtypeCode(attr.value) };
    case 'shape':
      return {
        shape: attr.value ? { dim: attr.value.map((d) => ({ size: d ?? -1 })) } : { unknownRank: true },
      };
    case 'func':
      return { func: { name: attr.value.name } };
    case 'list': {
      const list: Record<string, unknown[]> = {};
      for (const item of attr.value) {
        for (const [key, value] of Object.entries(attrJson(item))) (list[key] ??= []).push(value);
      }
      return { list };
    }
    case 'tensor':
    case 'placeholder':
      return {};
  }
}
