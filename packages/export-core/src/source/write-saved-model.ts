/**
 * Writes a frozen graph as a SavedModel: one graph, tagged `serve`, with the contract as its signatures. What a kept
 * variable or a table starts from is in the graph, and the main op assigns it.
 *
 *   saved_model.pb    SavedModel    1: schema version   2: MetaGraphDef
 *                     MetaGraphDef  1: MetaInfoDef   2: GraphDef   3: saver   4: collections   5: signatures
 *   variables/        a tensor bundle, only where the weights are too large for the graph
 */
import type { Contract, TensorSpec } from '../contract/contract';
import { MAX_MESSAGE_BYTES } from '../bytes/limits';
import { FloeError } from '../diagnostics/diagnostic';
import { encode, type MessageInit } from '../format/proto';
import { shapeToProto } from '../format/tensor-proto';
import { writeBundle } from '../format/write-bundle';
import type { Graph } from '../graph/graph';
import { lengthDelimited, sizeOf, writeGraphDef } from '../graph/write-graphdef';
import type { Piece } from '../keys/atomic';
import { weightsToVariables, type StoredWeights } from '../passes/weights-to-variables';
import { dtypeCode } from '../tensor/dtype';
import { SAVED_MODEL_FILE, VARIABLE_FILES } from './saved-model-files';

/** What TensorFlow writes for signatures that are for prediction. */
const METHOD = 'tensorflow/serving/predict';
const INIT_KEY = '__saved_model_init_op';
const SCHEMA_VERSION = 1n;

type MetaGraph = MessageInit<'MetaGraphDef'>;

/**
 * The pieces of each file, in the order in which they are to be written. The graph is changed: the main op is added,
 * and weights become variables where it would be too large otherwise.
 *
 * @param folder where the files will lie, as their paths begin
 * @param limit bytes that `saved_model.pb` may have
 * @throws FloeError S010 when even the graph without its weights is larger
 */
export function writeSavedModel(
  folder: string,
  graph: Graph,
  contract: Contract,
  limit = MAX_MESSAGE_BYTES,
): Record<string, readonly Piece[]> {
  const around = surroundings(graph, contract);
  const whole = savedModel(graph, around);
  const graphFile = `${folder}/${SAVED_MODEL_FILE}`;
  if (sizeOf(whole) <= limit) return { [graphFile]: whole };
  const weights = weightsToVariables(graph);
  const rest = savedModel(graph, { ...around, ...saverOf(weights, around) });
  if (sizeOf(rest) > limit) {
    throw new FloeError({
      code: 'S010',
      severity: 'error',
      message: `the graph has ${sizeOf(rest)} bytes without its weights; a message of TensorFlow's has ${limit} at most`,
      hint: 'large constants inside functions stay there: make them variables in TensorFlow, and save it again',
    });
  }
  const { data, index } = writeBundle(weights.values);
  const [dataFile, indexFile] = VARIABLE_FILES.map((file) => `${folder}/${file}`);
  return { [dataFile]: data, [indexFile]: index, [graphFile]: rest };
}

/** What stands beside the graph: signatures and the main op, which is added to it. */
function surroundings(graph: Graph, contract: Contract): MetaGraph {
  const signatures: Record<string, MessageInit<'SignatureDef'>> = {};
  for (const { key, inputs, outputs } of contract.signatures)
    signatures[key] = { inputs: tensorInfos(inputs), outputs: tensorInfos(outputs), method_name: METHOD };
  const initializers = contract.initializers.flatMap((name) => graph.node(name) ?? []);
  if (initializers.length === 0) return { signature_def: signatures };
  const main = graph.add('init', 'NoOp');
  main.controls = initializers;
  signatures[INIT_KEY] = {
    outputs: { [INIT_KEY]: { name: main.name, tensor_shape: { unknown_rank: true } } },
  };
  return {
    signature_def: signatures,
    collection_def: { saved_model_main_op: { node_list: { value: [main.name] } } },
  };
}

/** The saver, and the collection that TensorFlow keeps of its variables. */
function saverOf({ saver, variables }: StoredWeights, around: MetaGraph): MetaGraph {
  const definitions = variables.map(({ handle, read, assign, restored }) =>
    encode('VariableDef', {
      variable_name: handle.output().name,
      initializer_name: assign.name,
      snapshot_name: read.output().name,
      initial_value_name: restored,
      is_resource: true,
    }),
  );
  return {
    saver_def: {
      filename_tensor_name: saver.filename,
      save_tensor_name: saver.save,
      restore_op_name: saver.restore,
      version: 2,
    },
    collection_def: { ...around.collection_def, variables: { bytes_list: { value: definitions } } },
  };
}

function savedModel(graph: Graph, around: MetaGraph): Piece[] {
  const meta = [
    encode('MetaGraphDef', { meta_info_def: { tags: ['serve'] } }),
    ...lengthDelimited(2, writeGraphDef(graph)),
    encode('MetaGraphDef', around),
  ];
  return [encode('SavedModel', { saved_model_schema_version: SCHEMA_VERSION }), ...lengthDelimited(2, meta)];
}

function tensorInfos(specs: readonly TensorSpec[]): Record<string, MessageInit<'TensorInfo'>> {
  return Object.fromEntries(
    specs.map(({ name, tensor, dtype, shape }) => [
      name,
      { name: tensor, dtype: dtypeCode(dtype), tensor_shape: shapeToProto(shape) },
    ]),
  );
}
