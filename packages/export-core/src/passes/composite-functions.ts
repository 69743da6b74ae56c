/**
 * Given:  post(encodings, scores, anchors) = { boxes = 0; … }   _implements: TFLite_Detection_PostProcess { … }
 * Result: post(encodings, scores, anchors) = { boxes, … = TFLite_Detection_PostProcess(encodings, scores, anchors) }
 *
 * TensorFlow has no op for what export_tflite_graph_tf2.py ends a model with, so that script writes a function that
 * gives zeros and names what a converter has to put in its place. Inlined as it stands it would make a model of zeros.
 */
import { FloeError } from '../diagnostics/diagnostic';
import type { Attr } from '../graph/attr';
import type { FunctionGraph, Graph } from '../graph/graph';

/** The op, with how many inputs it takes and outputs it gives. */
const COMPOSITE = { op: 'TFLite_Detection_PostProcess', inputs: 3, outputs: 4 };

/** @throws FloeError G007 for a function that cannot be the op it names */
export function compositeFunctions(graph: Graph): void {
  for (const body of graph.functions.values()) {
    const mark = body.attrs.get('_implements');
    if (mark?.kind === 'func' && mark.value.name === COMPOSITE.op) become(body, mark.value.attrs);
  }
}

function become(body: FunctionGraph, attrs: ReadonlyMap<string, Attr>): void {
  const { op, inputs, outputs } = COMPOSITE;
  if (body.args.length !== inputs || body.results.length !== outputs) {
    throw new FloeError({
      code: 'G007',
      severity: 'error',
      message: `function "${body.name}" is to be ${op}, but it takes ${body.args.length} tensors and gives ${body.results.length}`,
      hint: `${op} takes box encodings, scores and anchors, and gives boxes, classes, scores and their number`,
    });
  }
  const parts = body.args.map((arg) => arg.output());
  const node = body.add(body.uniqueName(op), op, parts, Object.fromEntries(attrs));
  body.results = body.results.map((_, i) => node.output(i));
  body.controlResults = [];
}
