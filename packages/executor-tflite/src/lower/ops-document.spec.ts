import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { opsDocument } from './testing/ops-document';

const FILE = join(__dirname, '../../../../docs/ops.md');

test('docs/ops.md is what conversion does (node scripts/generate-ops.mjs)', () => {
  const text = opsDocument();
  if (process.env.FLOE_WRITE_OPS === '1') writeFileSync(FILE, text);
  expect(readFileSync(FILE, 'utf8')).toBe(text);
});
