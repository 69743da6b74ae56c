/** Workers are started from built files: a test builds the one it needs. */
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { transformSync } from '@swc/core';

/** Builds a module that imports nothing of Floe into a folder; its path there. */
export function builtWorker(source: string, folder: string): string {
  const { code } = transformSync(readFileSync(source, 'utf8'), {
    jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
    module: { type: 'commonjs' },
  });
  const path = join(folder, basename(source).replace(/\.ts$/, '.js'));
  writeFileSync(path, code);
  return path;
}
