// Writes docs/ops.md from the lowering tables and the op fixtures: runs the test that compares the two, which writes.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const spec = 'packages/executor-tflite/src/lower/ops-document.spec.ts';
const { status } = spawnSync(process.execPath, [join(root, 'node_modules/jest/bin/jest.js'), spec], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, FLOE_WRITE_OPS: '1' },
});
process.exitCode = status ?? 1;
