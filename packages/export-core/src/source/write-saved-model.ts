/**
 * Writes a frozen graph as a SavedModel: one graph, tagged `serve`, with the contract as its signatures. It has no
 * variables of its own; what a kept variable or a table starts from is in the graph, and the main op assigns it.
 *
 *   SavedModel    1: schema version   2: MetaGraphDef
 *   MetaGraphDef  1: MetaInfoDef   2: GraphDef   4: collections   5: signatures
 */
import type { Contract, TensorSpec } from '../contract/contract';
import { MAX_MESSAGE_BYTES } from '../bytes/limits';
import { FloeError } from '../diagnostics/diagnostic';
import { encode, type MessageInit } from '../format/proto';
import { shapeToProto } from '../format/tensor-proto';
import type { Graph } from '../graph/graph';
import { lengthDelimited, writeGraphDef } from '../graph/write-graphdef';
import type { Piece } from '../keys/atomic';
import { dtypeCode } from '../tensor/dtype';

/** What TensorFlow writes for signatures that are for prediction. */
const METHOD = 'tensorflow/serving/predict';
const INIT_KEY = '__saved_model_init_op';
const SCHEMA_VERSION = 1n;

/**
 * The pieces of `saved_model.pb`. The main op is added to the graph.
 *
 * @throws FloeError S010 when it is larger than a protobuf message can be
 */
export function writeSavedModel(graph: Graph, contract: Contract): Piece[] {
  const signatures: Record<string, MessageInit<'SignatureDef'>> = {};
  for (const { key, inputs, outputs } of contract.signatures)
    signatures[key] = { inputs: tensorInfos(inputs), outputs: tensorInfos(outputs), method_name: METHOD };
  const around: { collection_def?: Record<string, MessageInit<'CollectionDef'>> } = {};
  const initializers = contract.initializers.flatMap((name) => graph.node(name) ?? []);
  if (initializers.length) {
    const main = graph.add('init', 'NoOp');
    main.controls = initializers;
    around.collection_def = { saved_model_main_op: { node_list: { value: [main.name] } } };
    signatures[INIT_KEY] = {
      outputs: { [INIT_KEY]: { name: main.name, tensor_shape: { unknown_rank: true } } },
    };
  }
  const meta = [
    encode('MetaGraphDef', { meta_info_def: { tags: ['serve'] } }),
    ...lengthDelimited(2, writeGraphDef(graph)),
    encode('MetaGraphDef', { ...around, signature_def: signatures }),
  ];
  const pieces = [
    encode('SavedModel', { saved_model_schema_version: SCHEMA_VERSION }),
    ...lengthDelimited(2, meta),
  ];
  if (pieces.reduce((n, p) => n + p.byteLength, 0) > MAX_MESSAGE_BYTES) {
    throw new FloeError({
      code: 'S010',
      severity: 'error',
      message: 'a SavedModel of more than 2 GiB cannot hold its weights in its graph',
    });
  }
  return pieces;
}

function tensorInfos(specs: readonly TensorSpec[]): Record<string, MessageInit<'TensorInfo'>> {
  return Object.fromEntries(
    specs.map(({ name, tensor, dtype, shape }) => [
      name,
      { name: tensor, dtype: dtypeCode(dtype), tensor_shape: shapeToProto(shape) },
    ]),
  );
}
