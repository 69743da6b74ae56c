/** Every finding, on artefacts that TensorFlow wrote and a script bent (fixtures/make_fixtures.py). */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CODES, type Code } from '@floe/export-core';
import { graphBytes } from '../detection/testing/fixtures';
import { Project, runChain } from './testing/chain';
import { graph, IO } from './testing/finding';
import { FINDINGS } from './testing/findings';

test.each(FINDINGS)('$code: $title', async (finding) => {
  const { diagnostics, ok, text } = await runChain(finding.yaml, finding.until);
  const same = diagnostics.filter(
    (d) => d.code === finding.code && (finding.node === undefined || d.node === finding.node),
  );
  const found = same.find((d) => matches(d.message, finding.message)) ?? same[0];
  expect(found).toBeDefined();
  expect(found.severity).toBe(finding.severity ?? 'error');
  expect(ok).toBe(!diagnostics.some((d) => d.severity === 'error'));
  if (finding.message !== undefined) expect(found.message).toMatch(finding.message);
  if (finding.hint !== undefined) expect(found.hint).toMatch(finding.hint);
  // The place: a line of model.yaml under which a caret stands, and its path for the reports.
  if (finding.until === undefined) {
    expect(found.where).toMatchObject({ line: expect.any(Number), column: expect.any(Number) });
    expect(text).toMatch(/^ +\| +\^+$/m);
  }
  if (finding.at !== undefined) expect(found.where?.path).toBe(finding.at);
});

function matches(text: string, wanted: string | RegExp | undefined): boolean {
  return wanted === undefined || (typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text));
}

/** Codes that neither freeze nor validate gives: where it is tested that they come out. */
const ELSEWHERE: Partial<Record<Code, string>> = {
  D007: 'export-core/src/descriptor/load.spec.ts',
  D008: 'executor-tflite/src/detection/detection.spec.ts',
  S002: 'export-core/src/keys/digest.spec.ts',
  S004: 'export-core/src/format/proto.spec.ts',
  S005: 'export-core/src/format/checkpoint.spec.ts',
  S006: 'export-core/src/format/checkpoint-resolve.spec.ts',
  S010: 'export-core/src/format/checkpoint.spec.ts',
  G025: 'executor-tflite/src/detection/detection.spec.ts',
  T005: 'executor-tflite/src/tflite/target.spec.ts',
  Q001: 'executor-tflite/src/quantize/calibrate/calibrate.spec.ts',
  Q002: 'executor-tflite/src/quantize/calibrate/calibrate.spec.ts',
  Q003: 'executor-tflite/src/quantize/plan.spec.ts',
  Q004: 'executor-tflite/src/quantize/calibrate/calibrate.spec.ts',
  Q005: 'executor-tflite/src/quantize/plan.spec.ts',
  V001: 'executor-tflite/src/stages/verify.spec.ts',
  V002: 'executor-tflite/src/stages/verify.spec.ts',
  V003: 'executor-tflite/src/stages/verify.spec.ts',
  K001: 'export-core/src/stages/scheduled.spec.ts',
  K002: 'export-core/src/stages/run-stage.spec.ts',
  K003: 'export-core/src/stages/run-stage.spec.ts',
  K004: 'export-core/src/stages/run-stage.spec.ts',
  K005: 'export-core/src/keys/leftovers.spec.ts',
  K006: 'export-core/src/stages/lock.spec.ts',
  K007: 'export-core/src/stages/scheduled.spec.ts',
};

test.each(Object.keys(CODES) as Code[])('%s is tested', (code) => {
  const spec = ELSEWHERE[code];
  if (spec === undefined) {
    expect(FINDINGS.map((finding) => finding.code)).toContain(code);
    return;
  }
  const text = readFileSync(join(__dirname, '../../..', spec), 'utf8');
  expect(text).toMatch(new RegExp(`\\b${code}\\b`));
  expect(FINDINGS.map((finding) => finding.code)).not.toContain(code);
});

test('a good model has nothing to say', async () => {
  const { ok, diagnostics, report } = await runChain(`${graph('good')}\n${IO}`);
  expect({ ok, diagnostics }).toEqual({ ok: true, diagnostics: [] });
  expect(report).toEqual({ ok: true, counts: { error: 0, warning: 0, note: 0 }, diagnostics: [] });
});

test('an infinite number in a mask is no fault', async () => {
  const { ok, diagnostics } = await runChain(`${graph('masked')}\n${IO}`);
  expect({ ok, diagnostics }).toEqual({ ok: true, diagnostics: [] });
});

describe('everything that is wrong with a model is told in one run', () => {
  const told = async (yaml: string): Promise<string[]> =>
    (await runChain(yaml)).diagnostics.map((d) => `${d.code} ${d.where?.path}`);

  test('names, types and shapes of the contract', async () => {
    const found = await told(`${graph('placeholders')}
inputs: [{ name: image, tensor: "image:0", dtype: float32, shape: [1, 3, 8, 8] }]
outputs:
  - { name: a, tensor: feature }
  - { name: b, tensor: train_op }
  - { name: c, tensor: "halves:2" }
  - { name: d, tensor: "precise:0", dtype: float32 }`);
    expect(found).toEqual([
      'G001 outputs[0].tensor',
      'G001 outputs[1].tensor',
      'G001 outputs[2].tensor',
      'G002 outputs[3].dtype',
      'G002 inputs[0].dtype',
      'G003 inputs[0].shape',
      'G006 source.frozenGraph',
    ]);
  });

  test('with what neither the target nor an older TensorFlow has', async () => {
    const found = await told(`${graph('several')}
inputs: [{ name: image, tensor: "imag:0", dtype: uint8 }]
outputs: [{ name: p, tensor: "probability:0" }, { name: c, tensor: "classes:0", dtype: int32 }, { name: t, tensor: "texts:0" }]
target: { tensorflow: "1.3" }`);
    expect(found).toEqual([
      'G001 outputs[0].tensor',
      'G002 outputs[1].dtype',
      'G001 inputs[0].tensor',
      'G006 source.frozenGraph',
      'G018 target.tensorflow',
      'T001 source.frozenGraph',
      'T006 source.frozenGraph',
    ]);
  });

  test('variables without values, and a graph that is newer than its target', async () => {
    const found = await told(`source: { frozenGraph: FIXTURES/slim/inference.pb }
inputs: [{ name: image, tensor: "input:0" }]
outputs: [{ name: p, tensor: "resnet_v1_50/predictions/Softmax:0" }]
target: { tensorflow: "1.12" }`);
    expect(found).toEqual(['S008 source.frozenGraph', 'G018 target.tensorflow']);
  });

  test('but nothing that follows: where an input is not found, nobody knows where the model begins', async () => {
    const found = await told(`${graph('several')}
inputs: [{ name: image, tensor: "qqqqqqqqqqqq:0" }]
outputs: [{ name: p, tensor: "probabilities:0" }]`);
    expect(found).toEqual(['G001 inputs[0].tensor']);
  });

  test('shapes that contradict each other are told once, where they do', async () => {
    expect(await told(`${graph('layout')}\n${IO}`)).toEqual([
      'G019 source.frozenGraph',
      'G012 source.frozenGraph',
    ]);
  });

  test('a failed freeze leaves nothing behind', async () => {
    const project = new Project();
    try {
      const { report } = await project.run(`${graph('several')}
inputs: [{ name: image, tensor: "imag:0" }]
outputs: [{ name: p, tensor: "probabilities:0" }]`);
      expect(report).toBeUndefined();
    } finally {
      project.remove();
    }
  });
});

test('a detector for TFLite needs its operator allowed, or `detection: {}`', async () => {
  const project = new Project();
  try {
    writeFileSync(join(project.model, 'graph.pb'), graphBytes('modern_tflite'));
    const yaml = `source: { frozenGraph: graph.pb }
inputs: [{ name: image, tensor: "normalized_input_image_tensor:0" }]
outputs: [{ name: boxes, tensor: "TFLite_Detection_PostProcess:0" }]`;
    const { diagnostics } = await project.run(yaml);
    expect(diagnostics.filter((d) => d.severity === 'error')).toMatchObject([
      { code: 'T002', hint: expect.stringMatching(/^allowCustomOps: \[TFLite_Det.*; or detection: \{\}, /) },
    ]);
    expect((await project.run(`${yaml}\ndetection: {}`)).ok).toBe(true);
  } finally {
    project.remove();
  }
});

test('a detector for servers is one obstacle, and `detection: {}` its cure', async () => {
  const project = new Project();
  try {
    writeFileSync(join(project.model, 'graph.pb'), graphBytes('modern'));
    const yaml = `source: { frozenGraph: graph.pb }
inputs: [{ name: image, tensor: "image_tensor:0" }]
outputs: [{ name: boxes, tensor: "detection_boxes:0" }, { name: scores, tensor: "detection_scores:0" }]`;
    const { diagnostics } = await project.run(yaml);
    const errors = diagnostics.filter((d) => d.severity === 'error');
    expect(errors).toMatchObject([
      {
        code: 'T001',
        where: { path: 'source.frozenGraph' },
        hint: expect.stringMatching(/^detection: \{\} /),
      },
    ]);
    expect((await project.run(`${yaml}\ndetection: {}`)).ok).toBe(true);
  } finally {
    project.remove();
  }
});
