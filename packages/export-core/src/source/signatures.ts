/** The signatures that a MetaGraphDef carries, as contracts. */
import type { Signature, TensorSpec } from '../contract/contract';
import { FloeError } from '../diagnostics/diagnostic';
import { nearest, suggestion } from '../diagnostics/suggest';
import type { MetaGraphDef, SignatureDef, TensorInfo } from '../format/proto';
import { shapeFromProto } from '../format/tensor-proto';
import { parseInput } from '../graph/graphdef';
import type { Graph, Node } from '../graph/graph';
import { dtypeFromCode } from '../tensor/dtype';
import { calledFunction } from '../passes/function-calls';

/** Signatures that TensorFlow itself adds: initialisation and training, nothing to infer with. */
const INTERNAL = /^__saved_model_(init|train)_op$/;

const DEFAULT_KEY = 'serving_default';

/**
 * Every signature of a MetaGraphDef, sorted by key. A protobuf map has no order of its own, so inputs and outputs
 * stand as the function behind the signature takes and gives them; where there is none, sorted by name.
 */
export function signaturesOf(meta: MetaGraphDef, graph?: Graph): Signature[] {
  return Object.keys(meta.signature_def)
    .filter((key) => !INTERNAL.test(key))
    .sort()
    .map((key) => signatureOf(key, meta.signature_def[key], graph));
}

function signatureOf(key: string, def: SignatureDef, graph: Graph | undefined): Signature {
  const inputs = specs(def.inputs);
  const outputs = specs(def.outputs);
  const call = graph && callBehind(graph, outputs);
  if (call) {
    const order = argumentOrder(graph, call);
    sortBy(inputs, (spec) => order.get(parseInput(spec.tensor).name));
    sortBy(outputs, (spec) => parseInput(spec.tensor).index);
  }
  return { key, inputs, outputs };
}

function specs(infos: SignatureDef['inputs']): TensorSpec[] {
  return Object.keys(infos)
    .sort()
    .flatMap((name) => components(name, infos[name]));
}

/** A sparse tensor is three tensors in a graph, a ragged one two or more. */
function components(name: string, info: TensorInfo): TensorSpec[] {
  const dtype = dtypeFromCode(info.dtype);
  switch (info.encoding) {
    case 'coo_sparse': {
      const { indices_tensor_name, values_tensor_name, dense_shape_tensor_name } = info.coo_sparse!;
      if (!dtype) return [];
      const rank = shapeFromProto(info.tensor_shape)?.length ?? null;
      return [
        { name: `${name}/indices`, tensor: indices_tensor_name, dtype: 'int64', shape: [null, rank] },
        { name: `${name}/values`, tensor: values_tensor_name, dtype, shape: [null] },
        { name: `${name}/shape`, tensor: dense_shape_tensor_name, dtype: 'int64', shape: [rank] },
      ];
    }
    case 'composite_tensor':
      return info.composite_tensor!.components.flatMap((part, i) =>
        components(`${name}/component_${i}`, part),
      );
    default:
      return info.name && dtype
        ? [{ name, tensor: info.name, dtype, shape: shapeFromProto(info.tensor_shape) }]
        : [];
  }
}

/** The one function call that gives all outputs; undefined where they come from a graph's own nodes. */
function callBehind(graph: Graph, outputs: readonly TensorSpec[]): Node | undefined {
  const nodes = new Set(outputs.map((spec) => graph.node(parseInput(spec.tensor).name)));
  const [node] = nodes;
  return nodes.size === 1 && node && calledFunction(graph.functions, node) ? node : undefined;
}

/**
 * The place of each input of a call among the arguments of the function that the user wrote. Keras and tf.function
 * wrap it in one whose arguments are sorted by name; inside, it is called with its own order.
 */
function argumentOrder(graph: Graph, call: Node): Map<string, number> {
  const order = new Map(call.inputs.map((value, i) => [value.node.name, i]));
  const wrapper = calledFunction(graph.functions, call)?.body;
  const inner = wrapper && [...wrapper.nodes.values()].filter((n) => calledFunction(graph.functions, n));
  if (!wrapper || inner?.length !== 1) return order;
  const places = new Map(inner[0].inputs.map((value, i) => [value.node, i]));
  return new Map(
    call.inputs.map((value, i) => [value.node.name, places.get(wrapper.args[i]) ?? call.inputs.length + i]),
  );
}

function sortBy(list: TensorSpec[], place: (spec: TensorSpec) => number | undefined): void {
  list.sort((a, b) => (place(a) ?? Infinity) - (place(b) ?? Infinity) || 0);
}

/**
 * The signatures that a descriptor chooses.
 *
 * @param wanted  keys; default: `serving_default`, or the only signature there is
 * @param declared the descriptor says itself what goes in and out, so that none need be chosen
 * @throws FloeError G011 with the nearest keys
 */
export function chooseSignatures(
  found: readonly Signature[],
  wanted: readonly string[] | undefined,
  declared: boolean,
  file: string,
): Signature[] {
  const keys = found.map((s) => s.key);
  if (wanted) {
    const missing = wanted.filter((key) => !keys.includes(key));
    if (missing.length === 0) return wanted.map((key) => found.find((s) => s.key === key)!);
    throw new FloeError(
      missing.map((key) => ({
        code: 'G011',
        severity: 'error',
        message: `${file} has no signature "${key}"${keys.length ? `; it has ${quoted(keys)}` : ': it has none at all'}`,
        hint: suggestion(nearest(key, keys)) ?? (keys.length ? `signature: ${keys[0]}` : NO_SIGNATURES),
        where: { file },
      })),
    );
  }
  const one = found.find((s) => s.key === DEFAULT_KEY) ?? (found.length === 1 ? found[0] : undefined);
  if (one) return [one];
  if (declared) return [];
  throw new FloeError({
    code: 'G011',
    severity: 'error',
    message: keys.length
      ? `${file} has several signatures and none is ${DEFAULT_KEY}: ${quoted(keys)}`
      : `${file} has no signatures`,
    hint: keys.length ? `signature: ${keys[0]}, or signatures: [${keys.join(', ')}]` : NO_SIGNATURES,
    where: { file },
  });
}

const NO_SIGNATURES =
  'save it with one: tf.saved_model.save(module, folder, signatures=module.call.get_concrete_function(…))';

function quoted(keys: readonly string[]): string {
  return keys.map((key) => `"${key}"`).join(', ');
}
