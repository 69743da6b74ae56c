// Freezing, whole processes: `floe export --until freeze` beside TensorFlow's freeze_graph and a plain copy with a CRC.
//
//   npm run bench:freeze -- [--python PATH] [--runs N]
//
// Needs a Python with TensorFlow (default: python3) and what bench/make_models.py has made. Medians; a ratio is that of
// each round of runs, its median. CPU seconds are of use where other work shares the machine.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parse } from 'yaml';
import { here, measure, median, python, runs } from './settings.mjs';

function compare(folder) {
  const model = parse(readFileSync(join(folder, 'model.yaml'), 'utf8'));
  const prefix = join(folder, model.source.checkpoint);
  const output = model.outputs[0].tensor.replace(/:0$/, '');
  const out = mkdtempSync(join(tmpdir(), 'floe-bench-'));
  const floe = join(here, '../packages/floe/bin/floe.js');
  const commands = {
    floe: ['node', floe, 'export', folder, '--until', 'freeze', '--force'],
    freeze_graph: [python, join(here, 'freeze_graph.py'), prefix, output, join(out, 'frozen.pb')],
    copy: ['node', join(here, 'copy-crc.mjs'), `${prefix}.data-00000-of-00001`, join(out, 'copy')],
  };
  // One run more than asked for where there are several: the first warms the caches.
  const rounds = Array.from({ length: runs > 1 ? runs + 1 : 1 }, () =>
    Object.fromEntries(Object.entries(commands).map(([who, command]) => [who, measure(command)])),
  ).slice(runs > 1 ? 1 : 0);
  rmSync(out, { recursive: true });
  return Object.keys(commands).map((who) => {
    const of = (what) => median(rounds.map((round) => round[who][what]));
    const times = (what) => median(rounds.map((round) => round[who][what] / round.floe[what])).toFixed(2);
    return {
      model: basename(folder),
      who,
      'wall s': of('wall').toFixed(2),
      'CPU s': of('cpu').toFixed(2),
      'peak MB': (of('peak') / 1024).toFixed(0),
      'times wall': times('wall'),
      'times CPU': times('cpu'),
      'times memory': times('peak'),
    };
  });
}

const folders = ['models', 'freeze'].flatMap((group) => {
  const folder = join(here, group);
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
});
if (folders.length === 0) {
  console.error('there are no models: python bench/make_models.py');
  process.exit(2);
}
console.log('whole processes; "times": of what floe takes');
console.table(folders.flatMap(compare));
