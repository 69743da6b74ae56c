// Whole processes, Floe against TensorFlow's own tools, side by side in one run.
//
//   npm run bench -- [--python PATH] [--runs N]
//
// Needs a Python with TensorFlow (default: python3). Models: examples/mobilenet-v1, and those below bench/models/ and
// bench/saved/ when bench/make_models.py and bench/make_keras_models.py have made them. Times are medians; the ratio is
// that of each pair of runs, its median.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { here, measure, median, python, runs } from './settings.mjs';

function checkpointPrefix(folder, source) {
  const path = resolve(folder, source.checkpoint);
  const state = join(path, 'checkpoint');
  if (!existsSync(state)) return path;
  return join(path, /model_checkpoint_path: "(.*)"/.exec(readFileSync(state, 'utf8'))[1]);
}

/** What one does without Floe. */
function withoutFloe(folder, model, out) {
  const { source } = model;
  if (source.savedModel) {
    const script = join(here, 'convert_saved_model.py');
    return [python, script, join(folder, source.savedModel), join(out, 'model.tflite')];
  }
  const node = (spec) => spec.tensor.replace(/:0$/, '');
  const [input, output] = [model.inputs[0], model.outputs[0]];
  const prefix = checkpointPrefix(folder, source);
  const names = [node(output), node(input), input.shape.join(',')];
  return [python, join(here, 'freeze_convert.py'), prefix, ...names, out];
}

function compare(folder) {
  const model = parse(readFileSync(join(folder, 'model.yaml'), 'utf8'));
  const out = mkdtempSync(join(tmpdir(), 'floe-bench-'));
  const floe = ['node', join(here, '..', 'packages/floe/bin/floe.js'), 'export', folder, '--force'];
  const theirs = withoutFloe(folder, model, out);
  const pairs = [];
  measure(floe);
  measure(theirs);
  for (let i = 0; i < runs; i++) pairs.push({ floe: measure(floe), theirs: measure(theirs) });
  rmSync(out, { recursive: true });
  const of = (who, what) => median(pairs.map((p) => p[who][what]));
  const ratio = (what) => median(pairs.map((p) => p.theirs[what] / p.floe[what]));
  return {
    model: model.name,
    'floe s': of('floe', 'wall').toFixed(2),
    'TensorFlow s': of('theirs', 'wall').toFixed(2),
    'times faster': ratio('wall').toFixed(1),
    'floe MB': (of('floe', 'peak') / 1024).toFixed(0),
    'TensorFlow MB': (of('theirs', 'peak') / 1024).toFixed(0),
    'times less memory': ratio('peak').toFixed(1),
  };
}

const folders = [join(here, '..', 'examples/mobilenet-v1')];
for (const models of ['models', 'saved'].map((name) => join(here, name)))
  if (existsSync(models)) folders.push(...readdirSync(models).map((name) => join(models, name)));
const probe = spawnSync(python, ['-c', 'import tensorflow; print(tensorflow.__version__)'], {
  encoding: 'utf8',
});
if (probe.status !== 0) {
  console.error(`${python} has no TensorFlow: npm run bench -- --python PATH`);
  process.exit(2);
}
console.log(
  `checkpoint or SavedModel to frozen graph and float .tflite, whole processes, TensorFlow ${probe.stdout.trim()}`,
);
console.table(folders.map(compare));
