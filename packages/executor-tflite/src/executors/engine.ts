/**
 * The engines that calibrate and verify would choose here, without loading any: their names and versions are part of
 * those stages' keys, because another engine gives other numbers.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Runtimes of .tflite files and of graphs, as they are looked for. The last is optional: native TensorFlow. */
const ENGINES = ['@litertjs/core', '@tensorflow/tfjs-converter', '@tensorflow/tfjs-node'];

let identity: string | undefined;

/** `@litertjs/core@2.5.3 …`, looked up once a process. */
export function engineIdentity(): string {
  return (identity ??= ENGINES.map((name) => `${name}@${installedVersion(name) ?? 'none'}`).join(' '));
}

/** Read from package.json, which a package's `exports` may keep from `require`. */
function installedVersion(name: string): string | undefined {
  for (const folder of require.resolve.paths(name) ?? []) {
    const file = join(folder, name, 'package.json');
    if (existsSync(file)) return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
  }
  return undefined;
}
