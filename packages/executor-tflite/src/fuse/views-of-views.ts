/**
 * Given:  v = EXPAND_DIMS(u), u = RESHAPE(x), and others read u too
 * Result: v = RESHAPE(x, SHAPE(EXPAND_DIMS(u)))
 *
 * TFLite lets an operator write over its input where nobody else reads it, and tensors that differ only in shape share
 * their memory. It counts the readers of v, not those of u behind it: `v + 1` then changes what the others read. Seen
 * with LiteRT 2.5 and TensorFlow 2.21, also in the files of TensorFlow's own converter. What is computed from x
 * directly is counted rightly. Runs at the end: `fuseReshapes` makes most chains one RESHAPE, these have sizes
 * that nobody knows.
 */
import { TfliteOp, TfliteTensor, type TfliteSubgraph } from '../tflite/model';
import { SubgraphEdit } from './edit';

const VIEWS = ['RESHAPE', 'EXPAND_DIMS', 'SQUEEZE'];

export function separateViews(graph: TfliteSubgraph): void {
  const edit = new SubgraphEdit(graph);
  const ops: TfliteOp[] = [];
  for (const op of graph.ops) {
    ops.push(op);
    const origin = VIEWS.includes(op.code) ? originOf(op, edit) : undefined;
    if (!origin) continue;
    if (op.code === 'RESHAPE') {
      // Its sizes say everything: what shape it starts from does not matter.
      edit.setInput(op, 0, origin);
      continue;
    }
    const [result] = op.outputs;
    const shaped = new TfliteTensor(`${result.name}/shaped`, result.type, result.shape);
    shaped.quantization = result.quantization;
    op.outputs = [shaped];
    const sizes = new TfliteTensor(`${result.name}/sizes`, 'INT32', [result.shape?.length ?? -1]);
    const added = [
      new TfliteOp('SHAPE', [shaped], [sizes], { type: 'ShapeOptions', out_type: 'INT32' }),
      new TfliteOp('RESHAPE', [origin, sizes], [result]),
    ];
    for (const made of added) made.source = op.source;
    ops.push(...added);
  }
  graph.ops = ops;
}

/** What the first of a chain of views reads; undefined where no tensor between has another reader. */
function originOf(op: TfliteOp, edit: SubgraphEdit): TfliteTensor | undefined {
  let shared = false;
  let [source] = op.inputs as TfliteTensor[];
  for (let view = edit.plain(source, ...VIEWS); view; view = edit.plain(source, ...VIEWS)) {
    // An output is never written over: it does not count as a reader.
    shared ||= edit.readersOf(source).length > 1;
    source = view.inputs[0] as TfliteTensor;
  }
  return shared ? source : undefined;
}
