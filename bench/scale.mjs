// Nx with many small models: listing, a cold run, cached runs, and what the hooks cost, without and with the daemon;
// with PYTHON (that has TensorFlow) also its converter on the same models, one by one in a process.
//
//   npm run build && node bench/scale.mjs [models=1000] [variants=1] [PYTHON]
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const repository = fileURLToPath(new URL('..', import.meta.url));
const models = Number(process.argv[2] ?? 1000);
const variants = ['float', 'float16', 'dynamic', 'int8'].slice(0, Number(process.argv[3] ?? 1));
const python = process.argv[4];
const root = mkdtempSync(join(tmpdir(), 'floe-scale-'));
const write = (path, content) => writeFileSync(join(root, path), content);

/** A dense layer; each model has another weight. */
function graph(i) {
  const values = Array.from({ length: 64 }, (_, k) => `float_val: ${((i * 31 + k * 17) % 97) / 97 - 0.5}`);
  return `node { name: "x" op: "Placeholder" attr { key: "dtype" value { type: DT_FLOAT } }
  attr { key: "shape" value { shape { dim { size: 1 } dim { size: 8 } } } } }
node { name: "w" op: "Const" attr { key: "dtype" value { type: DT_FLOAT } }
  attr { key: "value" value { tensor { dtype: DT_FLOAT tensor_shape { dim { size: 8 } dim { size: 8 } } ${values.join(' ')} } } } }
node { name: "y" op: "MatMul" input: "x" input: "w" attr { key: "T" value { type: DT_FLOAT } } }
`;
}

const yaml = `version: 1
source: { frozenGraph: graph.pbtxt }
inputs: [{ name: x, tensor: "x:0" }]
outputs: [{ name: y, tensor: "y:0" }]
variants:
${variants.map((v) => `  ${v}: ${v === 'float' ? '{}' : `{ quantization: ${v} }`}`).join('\n')}
`;

function make() {
  symlinkSync(join(repository, 'node_modules'), join(root, 'node_modules'));
  write('package.json', '{"name":"scale","private":true}');
  write('.gitignore', 'node_modules\ndist\n.nx\n');
  const nxJson = {
    plugins: ['floe'],
    cacheDirectory: '.nx/cache',
    analytics: false,
    neverConnectToCloud: true,
  };
  write('nx.json', JSON.stringify(nxJson));
  for (let i = 0; i < models; i++) {
    const folder = join('models', `m${i}`);
    mkdirSync(join(root, folder), { recursive: true });
    write(join(folder, 'model.yaml'), yaml);
    write(join(folder, 'graph.pbtxt'), graph(i));
  }
  spawnSync('git', ['init', '-q'], { cwd: root });
}

function nx(title, daemon, ...args) {
  const env = { ...process.env, NX_DAEMON: String(daemon), NO_COLOR: '1', CI: '', NX_TUI: 'false' };
  const timed = `TIMEFORMAT='%R %U %S'; time node_modules/.bin/nx "$@"`;
  const { status, stdout, stderr } = spawnSync('bash', ['-c', timed, 'nx', ...args], {
    cwd: root,
    env,
    encoding: 'utf8',
    maxBuffer: 1 << 30,
  });
  // Of its own processes: a daemon's time is not in it.
  const [real, user, system] = stderr.trim().split('\n').at(-1).split(' ').map(Number);
  const cpu = `${(user + system).toFixed(1)} s of processors`;
  const failed = status === 0 ? '' : `  exit code ${status}`;
  console.log(`${title.padEnd(52)} ${real.toFixed(2).padStart(8)} s, ${cpu}${failed}`);
  if (status !== 0) console.log(`${stdout}${stderr}`.slice(-2000));
  return stdout + stderr;
}

/** What the hook does, without Nx round it: in a new process, and in one that is warm, as a daemon's worker is. */
function hook() {
  const script = `
    const { preTasksExecution } = require('floe');
    const context = { workspaceRoot: process.cwd(), argv: [], nxJsonConfiguration: {}, id: '1' };
    for (const title of ['hook alone, new process', 'hook alone, second', 'hook alone, third']) {
      const [started, cpu] = [performance.now(), process.cpuUsage()];
      preTasksExecution(undefined, context);
      const { user, system } = process.cpuUsage(cpu);
      const took = (performance.now() - started).toFixed(0).padStart(8);
      const processors = ((user + system) / 1000).toFixed(0);
      console.log(title.padEnd(52) + ' ' + took + ' ms, ' + processors + ' ms of processors');
    }`;
  const { stdout, stderr } = spawnSync('node', ['-e', script], { cwd: root, encoding: 'utf8' });
  console.log(`${stdout.trimEnd()}${stderr}`);
}

/** What the hook behind the tasks does when all of them came from the cache; the first time, files are hashed. */
function checkHits() {
  const script = `
    const { postTasksExecution } = require('floe');
    const targets = ${JSON.stringify(['freeze', 'validate', 'convert', ...variants.map((v) => `export-tflite:${v}`)])};
    const taskResults = {};
    for (let i = 0; i < ${models}; i++) for (const target of targets) {
      const task = { target: { project: 'm' + i, target }, projectRoot: 'models/m' + i };
      taskResults[task.projectRoot + target] = { task, status: 'local-cache' };
    }
    const started = performance.now();
    postTasksExecution(undefined, { workspaceRoot: process.cwd(), taskResults })
      .then(() => console.log((performance.now() - started).toFixed(0)));`;
  for (const title of ['check of what came from the cache', 'the same, files remembered']) {
    const { stdout, stderr } = spawnSync('node', ['-e', script], { cwd: root, encoding: 'utf8' });
    console.log(`${title.padEnd(52)} ${stdout.trim().padStart(8)} ms${stderr}`);
  }
}

/** TensorFlow's converter on up to a hundred of the models. */
function tensorflow() {
  const folders = Array.from({ length: Math.min(models, 100) }, (_, i) => join(root, 'models', `m${i}`));
  const script = join(repository, 'bench/convert_many.py');
  const { status, stdout, stderr } = spawnSync(python, [script, ...folders], { encoding: 'utf8' });
  console.log(status === 0 ? stdout.trimEnd() : stderr);
}

make();
console.log(`${models} models, ${variants.length} variants`);
try {
  nx('show projects, first time, daemon off', false, 'show', 'projects');
  nx('show projects, daemon off', false, 'show', 'projects');
  const all = ['run-many', '-t', 'export-tflite', '--outputStyle=static'];
  nx('export-tflite, cold, daemon off', false, ...all);
  await setTimeout(2100);
  nx('export-tflite, cached, daemon off (memo filled)', false, ...all);
  nx('export-tflite, cached, daemon off', false, ...all);
  hook();
  checkHits();
  nx('show projects, daemon started', true, 'show', 'projects');
  nx('show projects, daemon on', true, 'show', 'projects');
  nx('export-tflite, cached, daemon on (first)', true, ...all);
  nx('export-tflite, cached, daemon on', true, ...all);
  if (python) tensorflow();
} finally {
  spawnSync(join(root, 'node_modules/.bin/nx'), ['daemon', '--stop'], { cwd: root });
  rmSync(root, { recursive: true, force: true });
}
