/**
 * Given:  s = BROADCAST_ARGS(a, b), and shapes that are made from it again: SHAPE(ADD(BROADCAST_TO(x, s), …)),
 *         BROADCAST_ARGS(s, a), BROADCAST_TO(BROADCAST_TO(x, s), s)
 * Result: s itself, and the tensor that has this shape already
 */
import type { TfliteOp, TfliteSubgraph, TfliteTensor } from '../tflite/model';
import { SubgraphEdit } from './edit';

export function shareBroadcastShapes(graph: TfliteSubgraph): number {
  const edit = new SubgraphEdit(graph);
  for (const op of graph.ops) {
    const [x, sizes] = op.inputs;
    if (op.code === 'SHAPE') {
      const known = shapeOf(edit, x);
      if (known && known.type === op.outputs[0].type && !edit.isOutput(op.outputs[0])) {
        edit.redirect(op.outputs[0], known);
        edit.remove(op);
      }
    } else if (op.code === 'BROADCAST_ARGS') {
      const side = [0, 1].find((i) => includes(edit, op.inputs[i], op.inputs[1 - i]));
      if (side !== undefined) edit.bypass(op, side);
    } else if (op.code === 'BROADCAST_TO' && sizes && shapeOf(edit, x) === sizes) {
      edit.bypass(op);
    }
  }
  return edit.commit();
}

/** The tensor that gives a tensor its shape: it was broadcast to it, or computed from what was. */
function shapeOf(edit: SubgraphEdit, tensor: TfliteTensor | undefined): TfliteTensor | undefined {
  const op = edit.producer(tensor);
  if (op?.code === 'BROADCAST_TO') return op.inputs[1];
  if (!op || !isElementwise(op)) return undefined;
  const shapes = op.inputs.map((t) => {
    const made = edit.producer(t);
    return made?.code === 'BROADCAST_TO' ? made.inputs[1] : undefined;
  });
  return shapes.every((s) => s === shapes[0]) ? shapes[0] : undefined;
}

function isElementwise(op: TfliteOp): boolean {
  return /^(ADD|SUB|MUL|DIV|POW|MAXIMUM|MINIMUM|(NOT_)?EQUAL|(LESS|GREATER)(_EQUAL)?|SELECT_V2|LOGICAL_.*)$/.test(
    op.code,
  );
}

/** The first shape was broadcast from the second, among others. */
function includes(
  edit: SubgraphEdit,
  all: TfliteTensor | undefined,
  part: TfliteTensor | undefined,
): boolean {
  if (all === part) return all !== undefined;
  const op = edit.plain(all, 'BROADCAST_ARGS');
  return !!op && op.inputs.some((t) => t === part || includes(edit, t, part));
}
