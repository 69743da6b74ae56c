import { evaluate, expectOutputs, freezeSource, problemsOf } from './testing/freeze-source';

const CONTRACT =
  'inputs: [{ name: image, tensor: "image:0" }]\noutputs: [{ name: logits, tensor: "logits:0" }]\n';
const MODEL = `source: { checkpoint: tf1_training/model.ckpt }\n${CONTRACT}`;
const TEACHER = `source: { checkpoint: tf1_training/teacher.ckpt, graph: tf1_training/model.ckpt.meta }\n${CONTRACT}`;

it('cuts the queue at the declared input and drops the training', () => {
  const frozen = freezeSource(MODEL);
  expect(
    [...frozen.graph.nodes.values()]
      .filter((n) => n.op !== 'Identity')
      .map((n) => n.name)
      .sort(),
  ).toEqual(['MatMul', 'image', 'logits', 'net/bias', 'net/kernel']);
  expectOutputs(evaluate(frozen, 'tf1_training/raw'), 'tf1_training/raw');
  // Optimizer slots belong to the graph: they are no surplus.
  expect(frozen.context.diagnostics.list).toEqual([]);
});

it('freezes moving averages, whatever they are called', () => {
  const frozen = freezeSource(`${MODEL}freeze: { variables: ema }`);
  expectOutputs(evaluate(frozen, 'tf1_training/ema'), 'tf1_training/ema');
  expect(frozen.context.diagnostics.list).toMatchObject([
    { code: 'S011', severity: 'note', message: expect.stringContaining('net/bias') },
  ]);
});

it('says that there are no moving averages', () => {
  const problems = problemsOf(`${TEACHER}freeze: { variables: ema, rename: { "net/*": "teacher/*" } }`);
  expect(problems).toMatchObject([{ code: 'S008', message: expect.stringContaining('no moving averages') }]);
});

it('renames whole scopes', () => {
  const frozen = freezeSource(`${TEACHER}freeze: { rename: { "net/*": "teacher/*" } }`);
  expectOutputs(evaluate(frozen, 'tf1_training/raw'), 'tf1_training/raw');
});

it('names missing variables with the nearest there are, and the surplus', () => {
  const problems = problemsOf(TEACHER);
  expect(problems).toMatchObject([
    { code: 'S008', message: expect.stringContaining('net/kernel'), hint: 'did you mean "teacher/kernel"?' },
    { code: 'S008', message: expect.stringContaining('net/bias'), hint: 'did you mean "teacher/bias"?' },
    { code: 'S011', message: expect.stringContaining('teacher/bias, teacher/kernel') },
  ]);
});

it('leaves out what exclude says', () => {
  expect(problemsOf(`${MODEL}freeze: { exclude: ["net/b*"] }`)).toMatchObject([
    { code: 'S008', message: expect.stringContaining('leave "net/bias" out') },
  ]);
  expect(problemsOf(`${MODEL}freeze: { include: ["net/k*"] }`)).toMatchObject([{ code: 'S008' }]);
});

it('chooses outputs itself', () => {
  const { contract } = freezeSource(
    'source: { checkpoint: tf1_training/model.ckpt }\ninputs: [{ name: image, tensor: "image:0" }]\noutputs: auto',
  );
  expect(contract.signatures[0].outputs).toMatchObject([
    { name: 'predictions', tensor: 'predictions:0', dtype: 'float32' },
  ]);
});
