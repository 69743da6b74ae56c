/**
 * Given:  y = CONV_2D(PAD(x, p), VALID)      where p is what SAME adds
 * Result: y = CONV_2D(x, SAME)
 *
 * Also depthwise and in three dimensions. Padding that VALID's last window does not reach need not be SAME's.
 */
import type { TfliteOp, TfliteSubgraph, TfliteTensor } from '../tflite/model';
import { ints, SubgraphEdit } from './edit';

/** First spatial axis of the filter, and the options of each spatial axis. */
const CONVOLUTIONS: Record<string, { filter: number; axes: string[] }> = {
  CONV_2D: { filter: 1, axes: ['h', 'w'] },
  DEPTHWISE_CONV_2D: { filter: 1, axes: ['h', 'w'] },
  CONV_3D: { filter: 0, axes: ['d', 'h', 'w'] },
};

export function fuseSamePadding(graph: TfliteSubgraph): number {
  const edit = new SubgraphEdit(graph);
  for (const op of graph.ops) {
    const row = CONVOLUTIONS[op.code];
    if (!row || op.options?.padding !== 'VALID') continue;
    const pad = edit.plain(op.inputs[0], 'PAD');
    if (!pad || pad.outputs[0].type !== 'FLOAT32' || !isSame(op, pad, row)) continue;
    edit.setInput(op, 0, pad.inputs[0]);
    op.options = { ...op.options, padding: 'SAME' };
  }
  return edit.commit();
}

function isSame(op: TfliteOp, pad: TfliteOp, { filter, axes }: (typeof CONVOLUTIONS)[string]): boolean {
  const pads = ints(pad.inputs[1]);
  const shape = (pad.inputs[0] as TfliteTensor).shape;
  const window = op.inputs[1]?.shape;
  if (!pads || !shape || !window || pads.length !== 2 * (axes.length + 2)) return false;
  if ([0, 1, pads.length - 2, pads.length - 1].some((i) => pads[i] !== 0)) return false;
  return axes.every((axis, i) => {
    const stride = Number(op.options![`stride_${axis}`] ?? 1);
    const reach = (window[filter + i] - 1) * Number(op.options![`dilation_${axis}_factor`] ?? 1) + 1;
    const [before, after] = pads.slice(2 * i + 2, 2 * i + 4);
    const size = shape[i + 1];
    if (size < 0) {
      // Of an unknown size SAME is known where every position has a window.
      return stride === 1 && before + after === reach - 1 && before === Math.floor((reach - 1) / 2);
    }
    const count = Math.ceil(size / stride);
    const total = Math.max((count - 1) * stride + reach - size, 0);
    const valid = Math.floor((size + before + after - reach) / stride) + 1;
    return valid === count && before === Math.floor(total / 2) && after >= total - before;
  });
}
