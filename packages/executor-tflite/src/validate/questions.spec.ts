/**
 * The situations in which people asked why an export fails, as they would try them. Each ends in one message, and what
 * the message says to type makes the model export.
 */
import { runChain } from './testing/chain';

const errors = async (yaml: string) =>
  (await runChain(yaml)).diagnostics.filter((d) => d.severity === 'error');

/** The chain up to the .tflite. */
async function exported(yaml: string): Promise<string[]> {
  const { ok, diagnostics, tflite } = await runChain(yaml, 'export-tflite');
  expect({ ok, file: tflite !== undefined }).toEqual({ ok: true, file: true });
  return diagnostics.filter((d) => d.severity !== 'note').map((d) => d.code);
}

describe('why does export_inference_graph end in a ValueError?', () => {
  const model = (inputs: string, outputs: string): string =>
    `source: { frozenGraph: FIXTURES/placeholders.pb }\ninputs: [${inputs}, { name: scale, tensor: "scale:0" }]\noutputs: ${outputs}`;
  const image = '{ name: image, tensor: "image:0" }';
  const features = '[{ name: features, tensor: "features:0" }]';

  test('the input has another name than in training', async () => {
    const [error, ...others] = await errors(model('{ name: image, tensor: "input_image:0" }', features));
    expect(others).toEqual([]);
    expect(error).toMatchObject({
      code: 'G001',
      hint: expect.stringMatching(/^likely inputs are tensor: "image:0"/),
    });
    expect(await exported(model(image, features))).toEqual([]);
  });

  test('the placeholder is of another type', async () => {
    const [error, ...others] = await errors(
      model('{ name: image, tensor: "image:0", dtype: float32 }', features),
    );
    expect(others).toEqual([]);
    expect(error).toMatchObject({ code: 'G002' });
    const cut = /tensor: "[^"]+"/.exec(error.hint!)![0];
    // Both ways that the hint names.
    expect(await exported(model('{ name: image, tensor: "image:0", dtype: uint8 }', features))).toEqual([]);
    expect(await exported(model(`{ name: image, ${cut}, dtype: float32 }`, features))).toEqual([]);
  });

  test('there are no outputs', async () => {
    const [error, ...others] = await errors(model(image, '[]'));
    expect(others).toEqual([]);
    expect(error).toMatchObject({ code: 'D004', where: { line: 4 } });
  });
});

describe('why does the frozen ResNet of TF-slim not load?', () => {
  const model = (source: string, tensor = 'resnet_v1_50/predictions/Softmax:0'): string =>
    `source: { ${source} }\ninputs: [{ name: image, tensor: "input:0" }]\noutputs: [{ name: probabilities, tensor: "${tensor}" }]`;
  const files = 'checkpoint: FIXTURES/slim/model.ckpt-1, graph: FIXTURES/slim/inference.pb';

  test('it was frozen with the wrong output name', async () => {
    const [error, ...others] = await errors(model(files, 'Softmax'));
    expect(others).toEqual([]);
    expect(error).toMatchObject({
      code: 'G001',
      hint: 'did you mean tensor: "resnet_v1_50/predictions/Softmax:0"?',
    });
    expect(await exported(model(files))).toEqual([]);
  });

  test('it was frozen without its checkpoint', async () => {
    const [error, ...others] = await errors(model('frozenGraph: FIXTURES/slim/inference.pb'));
    expect(others).toEqual([]);
    expect(error).toMatchObject({
      code: 'S008',
      message: expect.stringMatching(/^the graph is not frozen: "\S+" and \d+ more are variables/),
      hint: 'source: { checkpoint: model.ckpt-1000, graph: graph.pb }, in place of frozenGraph',
    });
  });

  test('two things are wrong at once', async () => {
    const found = await errors(
      `source: { frozenGraph: FIXTURES/slim/inference.pb }
inputs: [{ name: image, tensor: "input:0" }]
outputs: [{ name: a, tensor: "resnet_v1_50/predictions/Softmax:0" }, { name: b, tensor: Softmax }]`,
    );
    expect(found.map((d) => d.code)).toEqual(['G001', 'S008']);
  });

  test('it was frozen from the training graph', async () => {
    const { ok, diagnostics } = await runChain(model('checkpoint: FIXTURES/slim/model.ckpt-1'));
    expect(ok).toBe(true);
    expect(diagnostics.map((d) => `${d.severity} ${d.code}`)).toEqual(['warning G017', 'warning G017']);
    expect(await exported(model(files))).toEqual([]);
  });

  test('it must run on an older TensorFlow', async () => {
    const [error, ...others] = await errors(`${model(files)}\ntarget: { tensorflow: "1.12" }`);
    expect(others).toEqual([]);
    expect(error).toMatchObject({
      code: 'G018',
      message: expect.stringContaining('FusedBatchNormV3 came with TensorFlow 1.14'),
    });
    expect(await exported(`${model(files)}\ntarget: { tensorflow: "1.15" }`)).toEqual([]);
  });
});

describe('why is my Estimator not converted?', () => {
  test.each([
    ['its default signature', 'source: { savedModel: FIXTURES/estimator }'],
    ['predictions with labels as text', 'source: { savedModel: FIXTURES/estimator, signature: predict }'],
  ])('it parses tf.Example: %s', async (_, source) => {
    const [error, ...others] = await errors(source);
    expect(others).toEqual([]);
    expect(error).toMatchObject({ code: 'T006', message: expect.stringContaining('ParseExampleV2') });
    expect(error.hint).toContain(
      'tflite: { inputs: [{ name: input_layer, tensor: "dnn/input_from_feature_columns/input_layer/concat:0", dtype: float32, shape: [null, 5] }]',
    );
    // The hint is all there is to type.
    expect(await exported(`${source}\n${error.hint}`)).toEqual([]);
  });

  test('the tensor that is wanted is inside of a function', async () => {
    const source =
      'source: { savedModel: FIXTURES/signatures, signature: predict }\ninputs: [{ name: features }]\noutputs: [{ name: scores';
    const [error, ...others] = await errors(`${source}, tensor: "MatMul:0" }]`);
    expect(others).toEqual([]);
    const line = /tflite: .*\}\] \}/.exec(error.hint!)![0];
    expect(await exported(`${source} }]\n${line}`)).toEqual([]);
  });

  test('its signature is another', async () => {
    const [error, ...others] = await errors(
      'source: { savedModel: FIXTURES/estimator, signature: features }',
    );
    expect(others).toEqual([]);
    expect(error).toMatchObject({
      code: 'G011',
      message: expect.stringContaining('"classification"'),
      where: { path: 'source.signature' },
    });
  });

  test('the signature takes other names than the model', async () => {
    const source = 'source: { savedModel: FIXTURES/signatures, signature: predict }';
    const [error, ...others] = await errors(
      `${source}\ninputs: [{ name: input_features }]\noutputs: [{ name: scores }]`,
    );
    expect(others).toEqual([]);
    expect(error).toMatchObject({ code: 'G001', hint: expect.stringContaining('name: features') });
    expect(await exported(`${source}\ninputs: [{ name: features }]\noutputs: [{ name: scores }]`)).toEqual(
      [],
    );
  });
});

describe('why can words not be looked up?', () => {
  test('what comes behind the lookups is in a function, and their table is none that TFLite has', async () => {
    const source = 'source: { savedModel: FIXTURES/words }';
    const [error, ...others] = await errors(source);
    expect(others).toEqual([]);
    expect(error).toMatchObject({ code: 'T006', message: expect.stringContaining('StringToHashBucketFast') });
    for (const cut of error.hint!.split('; or ')) expect(await exported(`${source}\n${cut}`)).toEqual([]);
  });
});

describe('why is a tf.train.Checkpoint not enough?', () => {
  test('it has no structure', async () => {
    const [error, ...others] = await errors(
      'source: { checkpoint: FIXTURES/checkpoint/ckpt }\ninputs: [{ name: x, tensor: "x:0" }]\noutputs: [{ name: y, tensor: "y:0" }]',
    );
    expect(others).toEqual([]);
    expect(error).toMatchObject({ code: 'S007', hint: expect.stringContaining('tf.saved_model.save(model') });
    expect(
      await exported(
        'source: { savedModel: FIXTURES/signatures, signature: predict, checkpoint: FIXTURES/checkpoint/ckpt }',
      ),
    ).toEqual([]);
  });
});

describe('which of the two scripts do I need?', () => {
  test('one model.yaml serves the server and the phone', async () => {
    const server =
      'source: { frozenGraph: FIXTURES/decode.pb }\ninputs: [{ name: file, tensor: "file:0" }]\noutputs: [{ name: y, tensor: "y:0" }]';
    const [error, ...others] = await errors(server);
    expect(others).toEqual([]);
    const cut = error.hint!.split('; or ')[1];
    // The frozen graph still decodes; the .tflite begins behind it.
    expect(await exported(`${server}\n${cut}`)).toEqual([]);
  });
});
