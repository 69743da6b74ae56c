// What the benchmarks share: their options, and timing a command as a whole process.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

export const here = dirname(fileURLToPath(import.meta.url));
const { values } = parseArgs({ options: { python: { type: 'string' }, runs: { type: 'string' } } });

/** A Python with TensorFlow. */
export const python = values.python ?? 'python3';
export const runs = Number(values.runs ?? 5);

/** Wall and processor seconds of a command, and its peak memory in kB. */
export function measure(command) {
  const result = spawnSync(python, [join(here, 'measure.py'), ...command], { encoding: 'utf8' });
  const figures = JSON.parse(result.stdout.trim().split('\n').pop());
  if (figures.code !== 0) throw new Error(`${command.join(' ')} ended with ${figures.code}`);
  return figures;
}

export function median(list) {
  return [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
}
