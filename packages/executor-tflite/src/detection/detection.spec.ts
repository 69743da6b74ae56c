import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  attr,
  detectionIn,
  Diagnostics,
  FloeError,
  foldConstants,
  inferShapes,
  joinPieces,
  Tensor,
  type DetectionKeys,
  type Graph,
  type Signature,
  type Value,
  type StageContext,
} from '@floe/export-core';
import { convertGraph } from '../convert/convert-graph';
import { writeModel } from '../tflite/write';
import type { TfliteModel } from '../tflite/model';
import { GraphBuilder, numbers } from '../testing/graphs';
import { compareDetections, detectionOutputs } from '../verify/compare-detections';
import { runTflite } from '../verify/litert';
import { OUTPUTS, POST_PROCESS } from './names';
import { builtinPostProcess } from './builtin-post-process';
import { detectionModel } from './detection';
import { EXPECTED, graphOf, sampleOf, TIES, type Outputs } from './testing/fixtures';

type Keys = Partial<DetectionKeys>;

let root: string;
beforeAll(() => (root = mkdtempSync(join(tmpdir(), 'floe-detection-'))));
afterAll(() => rmSync(root, { recursive: true }));

/** What export_tflite_ssd_graph.py was told when the fixture was made: its flags, which no server graph holds. */
function flags(name: 'modern' | 'old'): Keys {
  const { max_detections, per_box, per_class, regular } = EXPECTED[name].settings;
  return {
    maxDetections: max_detections,
    maxClassesPerDetection: per_box,
    detectionsPerClass: per_class,
    nms: { type: regular ? 'regular' : 'fast' },
  };
}

interface Converted {
  model: TfliteModel;
  signature: Signature;
  found: string[];
}

function convert(graph: Graph, keys: Keys = {}): Converted {
  const diagnostics = new Diagnostics();
  const context = {
    root,
    descriptor: { detection: { postprocess: 'custom', ...keys } },
    place: () => ({ file: 'model.yaml' }),
  } as unknown as StageContext;
  const { signature, found, customOps } = detectionModel(graph, context, diagnostics, true)!;
  const model = convertGraph(graph, { signatures: [signature] }, diagnostics, customOps);
  diagnostics.throwIfErrors();
  return { model, signature, found };
}

/** The codes of what goes wrong. */
function problems(graph: Graph, keys: Keys = {}): { code: string; message: string; hint?: string }[] {
  try {
    convert(graph, keys);
    return [];
  } catch (error) {
    if (!(error instanceof FloeError)) throw error;
    return error.diagnostics.map(({ code, message, hint }) => ({ code, message, hint }));
  }
}

async function run({ model, signature }: Converted, image: Tensor): Promise<Map<string, Tensor>> {
  return runTflite(joinPieces(writeModel(model)), new Map([[signature.inputs[0].name, image]]));
}

/** Largest difference of any element that counts, of boxes, classes, scores and count. */
function differences(got: Map<string, Tensor>, want: Outputs): number[] {
  return OUTPUTS.map((name, i) => {
    const [shape, elements] = want[i];
    const tensor = got.get(name)!;
    expect(tensor.shape).toEqual(shape);
    return Math.max(...elements.map((x, k) => Math.abs(x - tensor.at(k))));
  });
}

function customOptions(model: TfliteModel): string | undefined {
  const op = model.subgraphs[0].ops.find((o) => o.customCode === POST_PROCESS);
  return op && Buffer.from(op.customOptions!).toString('hex');
}

describe.each(['modern', 'old'] as const)('%s detector', (name) => {
  const { settings, options, runs } = EXPECTED[name];

  test('is recognised, with every value that its graph holds', () => {
    const found = detectionIn(graphOf(name));
    const [y, x, h, w] = settings.scales;
    expect(found).toMatchObject({
      kind: 'server',
      size: settings.size,
      channels: 3,
      scales: { y, x, h, w },
      anchorForm: 'corners',
      scoreConverter: settings.converter,
      numClasses: settings.classes,
      scoreThreshold: Math.fround(settings.score),
      iouThreshold: Math.fround(settings.iou),
    });
  });

  test.each([
    ['server graph', name],
    ['graph for TFLite', `${name}_tflite`],
  ])('%s gives the detections of TensorFlow’s own .tflite', async (_, file) => {
    const converted = convert(graphOf(file), file === name ? flags(name) : {});
    expect(converted.model.signatures[0].outputs.map((o) => o.name)).toEqual(OUTPUTS);
    expect(customOptions(converted.model)).toBe(options);
    for (const [i, want] of runs.entries()) {
      const errors = differences(await run(converted, sampleOf(name, i)), want);
      expect(Math.max(...errors)).toBeLessThan(1e-5);
    }
  });

  test('gives the same detections with builtin operators', async () => {
    const converted = convert(graphOf(name), { ...flags(name), postprocess: 'builtin' });
    const codes = converted.model.subgraphs[0].ops.map((op) => op.code);
    expect(codes).not.toContain('CUSTOM');
    expect(codes).toContain('NON_MAX_SUPPRESSION_V5');
    for (const [i, want] of runs.entries()) {
      const errors = differences(await run(converted, sampleOf(name, i)), want);
      expect(Math.max(...errors)).toBeLessThan(1e-5);
    }
  });

  test('takes pictures as they are where the input is not normalised', async () => {
    const converted = convert(graphOf(name), { ...flags(name), input: { normalized: false } });
    expect(converted.signature.inputs[0].name).toBe('input_image_tensor');
    const normalised = sampleOf(name, 0);
    const picture = normalised.toNumbers().map((n) => (n + 1) * 127.5);

    const got = await run(converted, Tensor.fromNumbers('float32', normalised.shape, picture));
    expect(Math.max(...differences(got, runs[0]))).toBeLessThan(1e-4);
  });
});

test.each([
  ['of fixed sizes has anchors that freezing computed', 'fixed'],
  ['with keypoints gives its boxes', 'keypoints'],
])('a detector %s', async (_, file) => {
  const graph = graphOf(file);
  foldConstants(graph, { useShapes: false });
  const converted = convert(graph, flags('old'));
  for (const [i, want] of EXPECTED.old.runs.entries()) {
    expect(Math.max(...differences(await run(converted, sampleOf('old', i)), want))).toBeLessThan(1e-5);
  }
});

describe.each(['fast', 'regular'] as const)('%s suppression of boxes of one score', (type) => {
  const { settings } = TIES;

  test.each(['custom', 'builtin'])('takes them in their order: %s', async (postprocess) => {
    const b = new GraphBuilder();
    const inputs = [b.input('encodings', [1, 40, 4]), b.input('scores', [1, 40, settings.classes + 1])];
    const anchors = Array.from({ length: 40 }, (_, i) => [Math.floor(i / 8) / 5, (i % 8) / 8, 0.3, 0.3]);
    const anchorValue = b.graph.addConst('anchors', Tensor.fromNumbers('float32', [40, 4], anchors.flat()));
    const [y, x, h, w] = settings.scales;
    const node = b.graph.add(POST_PROCESS, POST_PROCESS, [...inputs, anchorValue.output()], {
      max_detections: attr.int(settings.max_detections),
      max_classes_per_detection: attr.int(settings.per_box),
      detections_per_class: attr.int(settings.per_class),
      use_regular_nms: attr.bool(type === 'regular'),
      nms_score_threshold: attr.float(settings.score),
      nms_iou_threshold: attr.float(settings.iou),
      num_classes: attr.int(settings.classes),
      y_scale: attr.float(y),
      x_scale: attr.float(x),
      h_scale: attr.float(h),
      w_scale: attr.float(w),
    });
    inferShapes(b.graph, new Diagnostics());
    const { inputs: places } = b.signature([]);
    const outputs = OUTPUTS.map(
      (name, i) => ({ name, tensor: node.output(i).name, dtype: 'float32', shape: null }) as const,
    );
    const signature: Signature = { key: 'serving_default', inputs: places, outputs: [...outputs] };
    if (postprocess === 'builtin') builtinPostProcess(b.graph);
    const model = convertGraph(b.graph, { signatures: [signature] }, new Diagnostics(), [POST_PROCESS]);
    for (const [i, want] of TIES[type].entries()) {
      const levels = numbers(160, i + 11).map((n) => Math.round((n + 1) * 2.5) / 8);
      const got = await runTflite(
        joinPieces(writeModel(model)),
        new Map([
          [signature.inputs[0].name, Tensor.fromNumbers('float32', [1, 40, 4], numbers(160, i + 1))],
          [signature.inputs[1].name, Tensor.fromNumbers('float32', [1, 40, 4], levels)],
        ]),
      );
      expect(Math.max(...differences(got, want))).toBeLessThan(1e-6);
    }
  });
});

test('what the graph does not say is taken from model.yaml, or as export_tflite_ssd_graph.py takes it', () => {
  const { model } = convert(graphOf('modern'), { maxDetections: 3, nms: { scoreThreshold: 0.25 } });
  const outputs = model.subgraphs[0].outputs.map((t) => t.shape);
  expect(outputs).toEqual([[1, 3, 4], [1, 3], [1, 3], [1]]);
  expect(convert(graphOf('modern')).model.subgraphs[0].outputs[0].shape).toEqual([1, 10, 4]);
});

describe('pipeline.config', () => {
  const config = (more: Partial<Record<'classes' | 'scale' | 'size' | 'converter', string>> = {}): string => {
    const file = join(root, 'pipeline.config');
    writeFileSync(
      file,
      `model {
        ${'ssd'} {
          num_classes: ${more.classes ?? 3}  # a comment
          image_resizer { fixed_shape_resizer { height: ${more.size ?? 32} width: 40 } }
          box_coder { faster_rcnn_box_coder { y_scale: ${more.scale ?? '10.0'} } }
          post_processing {
            batch_non_max_suppression { score_threshold: 0.3 iou_threshold: .5 max_detections_per_class: 100 }
            score_converter: ${more.converter ?? 'SIGMOID'}
          }
        }
      }
      train_config: < batch_size: 24 fine_tune_checkpoint: "a/b" >`,
    );
    return file;
  };

  test('that agrees with the graph changes nothing', () => {
    const pipelineConfig = config();
    expect(customOptions(convert(graphOf('modern'), { pipelineConfig, ...flags('modern') }).model)).toBe(
      EXPECTED.modern.options,
    );
  });

  test('that contradicts it is an error that names both values, all at once', () => {
    const pipelineConfig = config({ classes: '90', scale: '8.0', converter: 'SOFTMAX', size: '300' });
    const found = problems(graphOf('modern'), { pipelineConfig });
    expect(found.map((p) => p.code)).toEqual(['D008', 'D008', 'D008', 'D008']);
    expect(found.map((p) => p.message)).toEqual([
      'the number of classes is 90 in pipeline.config, and 3 in the graph',
      'the size of images is 300 × 40 in pipeline.config, and 32 × 40 in the graph',
      'the score converter is softmax in pipeline.config, and sigmoid in the graph',
      'the scale of y is 8 in pipeline.config, and 10 in the graph',
    ]);
  });
});

describe('graphs that are no single-shot detectors', () => {
  /** A picture, preprocessed, and a convolution of it. */
  function network(b: GraphBuilder, name: string): Value {
    const image =
      b.graph.node('Preprocessor/sub')?.output() ??
      b.op('Preprocessor/sub', 'Sub', [
        b.input('x', [1, 8, 8, 3]),
        b.constant('mean', Tensor.scalar('float32', 1)),
      ]);
    const filters = b.weights(`${name}/filters`, [1, 1, 3, 4]);
    return b.op(name, 'Conv2D', [image, filters], {
      strides: attr.ints([1, 1, 1, 1]),
      padding: attr.string('SAME'),
    });
  }

  test('a classifier: what can be exported is named', () => {
    const b = new GraphBuilder();
    b.op('probabilities', 'Softmax', [b.op('neg', 'Neg', [b.input('x', [1, 4])])]);
    const [problem] = problems(b.graph);
    expect(problem).toMatchObject({ code: 'G024' });
    expect(problem.message).toContain('no box coder was found');
    expect(problem.hint).toContain('{ name: probabilities, tensor: "probabilities:0" }');
  });

  test('a two-stage detector is told by the crops of its feature map', () => {
    const b = new GraphBuilder();
    const features = network(b, 'features');
    const crops = [b.weights('boxes', [3, 4]), b.ints('index', [0, 0, 0]), b.ints('size', [2, 2])];
    b.op('CropAndResize', 'CropAndResize', [features, ...crops]);
    const [problem] = problems(b.graph);
    expect(problem.message).toContain('two-stage detector: "CropAndResize"');
    expect(problem.hint).toContain(
      'tflite: { inputs: [{ name: image, tensor: "Preprocessor/sub:0", shape: [1, 8, 8, 3] }], outputs: [{ name: features, tensor: "features:0" }] }',
    );
  });

  test('a detector with another box coder: all its boxes can be exported', () => {
    const b = new GraphBuilder();
    const boxes = b.op('raw_detection_boxes', 'Reshape', [network(b, 'boxes'), b.ints('rows', [-1, 4])]);
    const scores = b.op('raw_detection_scores', 'Reshape', [network(b, 'scores'), b.ints('row', [-1])]);
    const limits = [b.ints('most', 10), b.constant('iou', Tensor.scalar('float32', 0.5))];
    b.op('kept', 'NonMaxSuppressionV2', [boxes, scores, ...limits]);
    const [problem] = problems(b.graph);
    expect(problem).toMatchObject({
      code: 'G024',
      message: expect.stringContaining('not decoded from anchors'),
    });
    expect(problem.hint).toContain(
      'tflite: { inputs: [{ name: image, tensor: "Preprocessor/sub:0", shape: [1, 8, 8, 3] }], outputs: [{ name: raw_detection_boxes, ',
    );
  });

  test('a detector whose anchors do not fit another size of images', () => {
    const [problem] = problems(graphOf('old'), { input: { size: [48, 48] } });
    expect(problem.code).toBe('G003');
    expect(problem.message).toContain('90');
  });
});

test('anchors that are made for one size of images do not fit another', () => {
  const [problem] = problems(graphOf('modern'), { input: { size: [64, 64] } });
  expect(problem).toMatchObject({ code: 'G025', hint: expect.stringContaining('input: { size }') });
});

describe('comparing detections', () => {
  const signature: Signature = {
    key: 's',
    inputs: [],
    outputs: OUTPUTS.map((name, i) => ({
      name,
      tensor: `${POST_PROCESS}:${i}`,
      dtype: 'float32',
      shape: null,
    })),
  };
  const names = detectionOutputs(signature, 1)!;
  const detections = (...list: [top: number, category: number, score: number][]): Map<string, Tensor> =>
    new Map([
      [
        names.boxes,
        Tensor.fromNumbers(
          'float32',
          [1, list.length, 4],
          list.flatMap(([t]) => [t, 0, t + 0.5, 0.5]),
        ),
      ],
      [
        names.classes,
        Tensor.fromNumbers(
          'float32',
          [1, list.length],
          list.map(([, c]) => c),
        ),
      ],
      [
        names.scores,
        Tensor.fromNumbers(
          'float32',
          [1, list.length],
          list.map(([, , s]) => s),
        ),
      ],
      [names.count, Tensor.fromNumbers('float32', [1], [list.length])],
    ]);
  const float = { tolerance: 1e-4, quantized: false };

  test('the order of equal scores does not count', () => {
    const [a, b] = [detections([0, 1, 0.9], [0.4, 1, 0.9]), detections([0.4, 1, 0.90001], [0, 1, 0.9])];
    expect(compareDetections([b], [a], names, float)).toMatchObject({ agrees: true, figures: { found: 2 } });
  });

  test('nor which of two boxes of one score is the last', () => {
    const [a, b] = [detections([0, 1, 0.9], [0.4, 1, 0.5]), detections([0, 1, 0.9], [-0.4, 0, 0.50001])];
    expect(compareDetections([b], [a], names, float).agrees).toBe(true);
  });

  test('another class, a moved box and another score are differences', () => {
    const a = detections([0, 1, 0.9], [0.4, 1, 0.5]);
    for (const other of [
      detections([0, 2, 0.9], [0.4, 1, 0.5]),
      detections([0.01, 1, 0.9], [0.4, 1, 0.5]),
      detections([0, 1, 0.89], [0.4, 1, 0.5]),
    ]) {
      expect(compareDetections([other], [a], names, float).agrees).toBe(false);
    }
  });

  test('a quantised model may be a little off everywhere, not altogether', () => {
    const a = detections([0, 1, 0.9], [0.4, 1, 0.5]);
    const quantized = { tolerance: 1e-4, quantized: true };
    expect(
      compareDetections([detections([0.01, 1, 0.88], [0.41, 1, 0.52])], [a], names, quantized).agrees,
    ).toBe(true);
    expect(compareDetections([detections([0.6, 1, 0.9], [0.4, 2, 0.5])], [a], names, quantized).agrees).toBe(
      false,
    );
  });
});
