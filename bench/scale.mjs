// Nx with many small models: listing, a cold run, cached runs, and what the hook costs, without and with the daemon.
//
//   npm run build && node bench/scale.mjs [models=1000] [variants=1]
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const repository = fileURLToPath(new URL('..', import.meta.url));
const models = Number(process.argv[2] ?? 1000);
const variants = ['float', 'float16', 'dynamic', 'int8'].slice(0, Number(process.argv[3] ?? 1));
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
  const started = performance.now();
  const { status, stdout, stderr } = spawnSync(join(root, 'node_modules/.bin/nx'), args, {
    cwd: root,
    env,
    encoding: 'utf8',
    maxBuffer: 1 << 30,
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(2);
  console.log(`${title.padEnd(52)} ${seconds.padStart(8)} s${status === 0 ? '' : `  exit code ${status}`}`);
  if (status !== 0) console.log(`${stdout}${stderr}`.slice(-2000));
  return stdout + stderr;
}

/** What the hook does, without Nx round it; twice, because the first fills the memo. */
function hook() {
  const script = `
    const { createNodes, preTasksExecution } = require('floe');
    const context = { workspaceRoot: process.cwd(), argv: [], nxJsonConfiguration: {}, id: '1' };
    const started = performance.now();
    preTasksExecution(undefined, context);
    console.log((performance.now() - started).toFixed(0));`;
  for (const title of ['hook alone, real environment', 'hook alone, environment as in a plugin worker']) {
    const worker = title.includes('worker') ? 'global.NX_PLUGIN_WORKER = true;' : '';
    const { stdout, stderr } = spawnSync('node', ['-e', worker + script], { cwd: root, encoding: 'utf8' });
    console.log(`${title.padEnd(52)} ${stdout.trim().padStart(8)} ms${stderr}`);
  }
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
  nx('show projects, daemon started', true, 'show', 'projects');
  nx('show projects, daemon on', true, 'show', 'projects');
  nx('export-tflite, cached, daemon on (first)', true, ...all);
  nx('export-tflite, cached, daemon on', true, ...all);
} finally {
  spawnSync(join(root, 'node_modules/.bin/nx'), ['daemon', '--stop'], { cwd: root });
  rmSync(root, { recursive: true, force: true });
}
