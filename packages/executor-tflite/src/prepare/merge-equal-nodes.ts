/**
 * Given:  y = Op(x), z = Op(x)
 * Result: readers of z read y
 *
 * Ops with state, random ones among them, differ from call to call and stay. So do outputs of the contract.
 */
import {
  followReplacements,
  outputTypes,
  type Attr,
  type Graph,
  type Node,
  type Tensor,
  type Value,
} from '@floe/export-core';
import type { PrepareContext } from './prepare';

/** Larger constants are equal only when they are the same tensor. */
const MAX_COMPARED_BYTES = 256;

export function mergeEqualNodes(graph: Graph, { signatures }: PrepareContext): void {
  const named = new Set(signatures.flatMap((s) => s.outputs.map((o) => o.tensor)));
  const numbers = new Map<unknown, number>();
  const numberOf = (thing: unknown): number => {
    let n = numbers.get(thing);
    if (n === undefined) numbers.set(thing, (n = numbers.size));
    return n;
  };
  const first = new Map<string, Node>();
  const replaced = new Map<Value, Value>();
  for (const node of graph.sorted()) {
    const key = keyOf(node, (v) => numberOf(followReplacements(replaced, v)), numberOf);
    if (key === undefined) continue;
    const same = first.get(key);
    if (!same) {
      first.set(key, node);
      continue;
    }
    const outputs = (outputTypes(node) ?? []).map((_, i) => node.output(i));
    if (outputs.some((v) => named.has(v.name))) continue;
    outputs.forEach((value, i) => replaced.set(value, same.output(i)));
  }
  graph.replace(replaced);
}

/** Equal for nodes that compute the same; undefined for those that must stay. */
function keyOf(
  node: Node,
  valueNumber: (v: Value) => number,
  numberOf: (x: unknown) => number,
): string | undefined {
  if (node.controls.length || node.op === '_Arg' || node.op === 'Placeholder') return undefined;
  if (node.constant) return `Const ${constantKey(node.constant, numberOf)}`;
  if (node.def?.stateful !== false || node.inputs.length === 0) return undefined;
  const attrs: string[] = [];
  for (const [name, value] of node.attrs) {
    const text = attrKey(value);
    if (text === undefined) return undefined;
    attrs.push(`${name}=${text}`);
  }
  return `${node.op} ${node.inputs.map(valueNumber).join()} ${attrs.sort().join()}`;
}

function constantKey(tensor: Tensor, numberOf: (x: unknown) => number): string {
  const kind = `${tensor.dtype}[${tensor.shape.join()}]`;
  if (tensor.dtype === 'string' || tensor.byteLength > MAX_COMPARED_BYTES)
    return `${kind}#${numberOf(tensor)}`;
  return kind + Buffer.from(tensor.bytes).toString('base64');
}

/** Functions and tensors in attributes are not compared. */
function attrKey(value: Attr): string | undefined {
  if (value.kind === 'func' || value.kind === 'tensor' || value.kind === 'placeholder') return undefined;
  if (value.kind === 'string') return Buffer.from(value.value).toString('base64');
  if (value.kind !== 'list') return String(value.value);
  const items = value.value.map(attrKey);
  return items.includes(undefined) ? undefined : `(${items.join(';')})`;
}
