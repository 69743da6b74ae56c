import { Diagnostics } from '@floe/export-core';
import { floats } from '../fuse/edit';
import type { TfliteModel } from '../tflite/model';
import { applyPlan } from './apply';
import type { Mode } from './plan';
import { planModel } from './quantize-model';
import { anyRange, Builder, describeOps } from './testing/models';

function quotient(divisor: number): TfliteModel {
  const b = new Builder();
  const options = { type: 'DivOptions', fused_activation_function: 'RELU' };
  return b.finish(b.op('DIV', [b.input('x', [2, 3]), b.floats('c', [], [divisor])], 'y', [2, 3], options));
}

function quantized(model: TfliteModel, quantization: Mode): TfliteModel {
  const diagnostics = new Diagnostics();
  applyPlan(model, planModel(model, { quantization }, anyRange, diagnostics));
  return model;
}

describe('divisions by constants', () => {
  it.each([
    ['int8', 'INT8'],
    ['int16x8', 'INT16'],
  ] as const)('are products in %s', (mode, type) => {
    const model = quantized(quotient(4), mode);
    expect(describeOps(model)).toContain(`MUL ${type},${type}>${type}`);
    const product = model.subgraphs[0].ops.find((op) => op.code === 'MUL')!;
    expect(product.options).toMatchObject({ type: 'MulOptions', fused_activation_function: 'RELU' });
    const [scale] = product.inputs[1]!.quantization!.scale;
    expect(scale).toBeCloseTo(0.25 / (mode === 'int8' ? 255 : 32767), 8);
  });

  it('stay in other modes, and where the reciprocal is no number', () => {
    for (const [divisor, mode] of [
      [4, 'dynamic'],
      [4, 'float16'],
      [0, 'int8'],
      [1e-39, 'int8'],
    ] as const) {
      const model = quantized(quotient(divisor), mode);
      expect(describeOps(model)).toEqual(['DIV FLOAT32,FLOAT32>FLOAT32']);
      expect(floats(model.subgraphs[0].ops[0].inputs[1])![0]).toBe(Math.fround(divisor));
    }
  });
});
