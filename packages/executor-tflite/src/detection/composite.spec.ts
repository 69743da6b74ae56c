/** A SavedModel whose post-processing is a function of zeros that stands for TFLite's operator. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspectArtefact, Tensor } from '@floe/export-core';
import { numbers } from '../testing/graphs';
import { Project } from '../validate/testing/chain';
import { runTflite } from '../verify/litert';
import { INPUT, OUTPUTS } from './names';
import { COMPOSITE, graphBytes } from './testing/fixtures';

test('inspect shows the detector that it is', () => {
  const project = new Project();
  try {
    writeFileSync(join(project.model, 'saved_model.pb'), graphBytes('composite'));
    expect(inspectArtefact(project.model)).toMatchObject({
      detection: { input: { size: [6, 6] }, scoreConverter: 'sigmoid', maxDetections: 5 },
    });
  } finally {
    project.remove();
  }
});

const SIGNATURE = Object.keys(COMPOSITE);

test.each([
  ['allowCustomOps: [TFLite_Detection_PostProcess]', 'input', SIGNATURE],
  // The script turns the outputs around.
  ['detection: {}', INPUT, [...OUTPUTS].reverse()],
  ['detection: { postprocess: builtin }', INPUT, [...OUTPUTS].reverse()],
])('%s gives the detections of TensorFlow’s own .tflite', async (keys, input, outputs) => {
  const project = new Project();
  try {
    const folder = join(project.model, 'saved');
    mkdirSync(folder);
    writeFileSync(join(folder, 'saved_model.pb'), graphBytes('composite'));
    const { tflite } = await project.run(`source: { savedModel: saved }\n${keys}`, 'export-tflite');
    const image = Tensor.fromNumbers('float32', [1, 6, 6, 3], numbers(108, 1));
    const got = await runTflite(tflite!, new Map([[input, image]]));
    for (const [i, name] of SIGNATURE.entries()) {
      const [shape, elements] = COMPOSITE[name];
      const tensor = got.get(outputs[i])!;
      expect(tensor.shape).toEqual(shape);
      expect(Math.max(...elements.map((x, k) => Math.abs(x - tensor.at(k))))).toBeLessThan(1e-5);
    }
  } finally {
    project.remove();
  }
});
