/** Fourier transforms of real signals. */
import type { Node } from '@floe/export-core';
import type { LoweringTable, Refusal } from './row';

/** The kernel transforms lengths that are powers of two, known when the model is made or not. */
function refuseLength(node: Node): Refusal | undefined {
  if (node.inputs[0].dtype !== 'float32') return { reason: `RFFT2D has no ${node.inputs[0].dtype} kernel` };
  const lengths = node.inputs[1].node.constant?.toNumbers();
  if (lengths?.at(-1) === 1) return { reason: 'RFFT2D transforms no rows of one sample' };
  const odd = lengths?.find((n) => n < 1 || (n & (n - 1)) !== 0);
  return odd === undefined
    ? undefined
    : { reason: `RFFT2D transforms lengths that are powers of two, here is ${odd}` };
}

export const table: LoweringTable = {
  RFFT2D: {
    to: ['RFFT2D'],
    note: 'float32; lengths that are powers of two',
    refuse: refuseLength,
    build: (c) => c.emit('RFFT2D', [c.input(0), c.asInt32(1)], [c.output()]),
  },
};
