import { parseDescriptor } from '../descriptor/load';
import type { Descriptor } from '../descriptor/schema';
import { canonicalJson } from '../keys/canonical';
import { STAGES, stageOf } from './table';
import { dependenciesOf, targetsOf, type StageTarget } from './targets';

const TEXT = `version: 1
source: { frozenGraph: a/graph.pb }
inputs: [{ name: x, tensor: "x:0", range: [-1, 1] }]
outputs: [{ name: y, tensor: y }]
tflite: { inputs: [{ name: x, tensor: z, range: [0, 1] }] }
variants:
  float:
  half: { quantization: float16 }
  int8: { quantization: int8, calibration: { data: cal.npz, samples: 10 }, io: int8 }
verify: { data: samples.npz }
`;

function load(text = TEXT): Descriptor {
  const { descriptor, diagnostics } = parseDescriptor('/models/m/model.yaml', text);
  expect(diagnostics).toEqual([]);
  return descriptor!;
}

/** The slices of every target, as keys see them. */
function slices(descriptor: Descriptor): Record<string, string> {
  return Object.fromEntries(
    targetsOf(descriptor).map(({ stage, variant, target }) => [
      target,
      canonicalJson(stage.slice(descriptor, variant)),
    ]),
  );
}

/** The targets whose slice an edit changes. */
function changedBy(from: string | RegExp, to: string): string[] {
  const before = slices(load());
  const edited = TEXT.replace(from, to);
  expect(edited).not.toBe(TEXT);
  const after = slices(load(edited));
  return Object.keys(before).filter((target) => before[target] !== after[target]);
}

describe('targets', () => {
  it('are those that the variants need, in order, each after what it reads', () => {
    const descriptor = load();
    const targets = targetsOf(descriptor);
    const table = targets.map((t) => `${t.target} < ${dependenciesOf(descriptor, t).join(' ')}`);
    expect(table).toEqual([
      'freeze < ',
      'validate < freeze',
      'convert < freeze validate',
      'calibrate:int8 < convert freeze',
      'quantize:half < convert',
      'quantize:int8 < convert calibrate:int8',
      'export-tflite:float < convert freeze',
      'export-tflite:half < quantize:half freeze',
      'export-tflite:int8 < quantize:int8 freeze',
      'verify:float < freeze export-tflite:float',
      'verify:half < freeze export-tflite:half convert',
      'verify:int8 < freeze export-tflite:int8 convert',
      'export-saved-model < freeze',
    ]);
    const seen = new Set<string>();
    for (const t of targets) {
      for (const dependency of dependenciesOf(descriptor, t)) expect(seen).toContain(dependency);
      seen.add(t.target);
    }
  });

  it('write files of their own, and read only what another writes', () => {
    const descriptor = load();
    const targets = targetsOf(descriptor);
    const written = targets.flatMap(({ stage, variant }) => stage.outputs(variant));
    expect(new Set(written).size).toBe(written.length);
    for (const { stage, variant } of targets) {
      expect(stage.outputs(variant)).toContain(stage.manifest(variant));
      for (const upstream of stage.upstream(descriptor, variant)) {
        const outputs = stageOf(upstream.stage).outputs(variant);
        for (const file of upstream.files) expect(outputs).toContain(file);
        // A manifest says where things come from: reading it would end early cutoff.
        expect(upstream.files).not.toContain(stageOf(upstream.stage).manifest(variant));
      }
    }
  });

  it('read files of the project, by role', () => {
    const descriptor = load();
    const files = targetsOf(descriptor).flatMap(({ stage, variant, target }: StageTarget) =>
      stage.files(descriptor, '/models/m', variant).map(({ role, path }) => `${target} ${role} ${path}`),
    );
    expect(files).toEqual([
      'freeze graph /models/m/a/graph.pb',
      'calibrate:int8 calibration /models/m/cal.npz',
      'verify:float samples /models/m/samples.npz',
      'verify:half samples /models/m/samples.npz',
      'verify:int8 samples /models/m/samples.npz',
    ]);
    const det = load(TEXT + 'detection: { anchors: a.npy, pipelineConfig: p.config }\n');
    expect(
      stageOf('convert')
        .files(det, '/m')
        .map(({ role }) => role),
    ).toEqual(['anchors', 'pipelineConfig']);
  });
});

describe('slices', () => {
  it.each<[string, string | RegExp, string, string[]]>([
    ['a comment', 'version: 1', 'version: 1 # first', []],
    ['the name', 'version: 1', 'version: 1\nname: other', []],
    ['where the source lies', 'a/graph.pb', 'b/frozen.pb', []],
    ['where data lies', /(cal|samples)\.npz/g, 'data/$1.npz', []],
    ['the order of keys', '{ name: y, tensor: y }', '{ tensor: y, name: y }', []],
    ['another variant', '  half: {', '  more: {}\n  half: {', []],
    [
      'the range of an input',
      '[-1, 1]',
      '[-2, 1]',
      ['calibrate:int8', 'verify:float', 'verify:half', 'verify:int8'],
    ],
    ['calibration', 'samples: 10', 'samples: 11', ['calibrate:int8']],
    ['how images are read', 'samples: 10', 'samples: 10, images: { std: 255 }', ['calibrate:int8']],
    ['io', 'io: int8', 'io: uint8', ['export-tflite:int8', 'verify:int8']],
    ['bias correction', 'io: int8', 'io: int8, biasCorrection: false', ['quantize:int8']],
    ['what to do with unsupported ops', 'io: int8', 'io: int8, onUnsupported: error', ['quantize:int8']],
    [
      'verification',
      '{ data: samples.npz }',
      '{ tolerance: 1 }',
      ['verify:float', 'verify:half', 'verify:int8'],
    ],
  ])('%s concerns the right targets', (_what, from, to, targets) => {
    expect(changedBy(from, to)).toEqual(targets);
  });

  it('of freeze change with the source, the contract and its own settings', () => {
    expect(changedBy('frozenGraph', 'checkpoint')).toEqual(['freeze']);
  });

  it('keep the order of inputs, outputs and signatures', () => {
    const several = (text: string): string =>
      canonicalJson(
        stageOf('freeze').slice(load(`version: 1\nsource: { savedModel: m }\nsignatures: ${text}\n`)),
      );
    expect(several('{ a: {}, b: {} }')).not.toBe(several('{ b: {}, a: {} }'));
  });

  it('are canonical JSON and hold no path', () => {
    for (const text of Object.values(
      slices(load(TEXT + 'detection: { anchors: a.npy, pipelineConfig: p.config }\n')),
    )) {
      expect(text).not.toMatch(/graph\.pb|\.npz|\.npy|p\.config|\/models/);
    }
    expect(STAGES.map(({ name }) => name)).toHaveLength(8);
  });
});

describe('files', () => {
  it('have a section of the lock in every stage that reads any: without one they would not be in its key', () => {
    const descriptor = load(`${TEXT}detection: { pipelineConfig: pipeline.config, anchors: anchors.npy }\n`);
    for (const bare of [
      descriptor,
      { ...descriptor, detection: undefined, verify: { ...descriptor.verify, data: undefined } },
    ]) {
      for (const { stage, variant, target } of targetsOf(bare)) {
        const files = stage.files(bare, '/models/m', variant).map(({ path }) => path);
        const named = Object.values(stage.locked(bare, variant)?.from ?? {}).map(
          (name) => `/models/m/${name}`,
        );
        expect({ target, files: files.sort() }).toEqual({ target, files: named.sort() });
      }
    }
  });
});
