/** Random numbers. Their seeds are TensorFlow's; their generator is the runtime's own, so the numbers differ. */
import type { LoweringRow, LoweringTable } from './row';
import { refuseType } from './kernel-types';

/** `operands`: the inputs that are int32 in the kernel. */
function random(code: string, operands: readonly number[]): LoweringRow {
  return {
    to: [code],
    note: 'float32; other numbers than TensorFlow draws from the same seeds',
    refuse: (node) => {
      const dtype = code === 'MULTINOMIAL' ? node.inputs[0].dtype : node.type('dtype');
      return code === 'MULTINOMIAL'
        ? refuseType(code, dtype)
        : dtype === 'float32'
          ? undefined
          : { reason: `${code} makes no ${dtype}` };
    },
    build: (c) => {
      const inputs = c.node.inputs.map((_, i) => (operands.includes(i) ? c.asInt32(i) : c.input(i)));
      c.emit(code, inputs, [c.output()], {
        type: 'RandomOptions',
        seed: BigInt.asIntN(64, BigInt(c.node.int('seed'))),
        seed2: BigInt.asIntN(64, BigInt(c.node.int('seed2'))),
      });
    },
  };
}

export const table: LoweringTable = {
  RandomStandardNormal: random('RANDOM_STANDARD_NORMAL', [0]),
  RandomUniform: random('RANDOM_UNIFORM', [0]),
  Multinomial: random('MULTINOMIAL', [1]),
};
