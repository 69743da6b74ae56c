import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CODES } from './codes';

test('docs/diagnostics.md has an entry for every code, in the order of the table, with its title', () => {
  const text = readFileSync(join(__dirname, '../../../../docs/diagnostics.md'), 'utf8');
  const entries = [...text.matchAll(/^## ([A-Z]\d{3}): (.+)\n(.+)/gm)].map((m) => [m[1], m[2]]);
  expect(entries).toEqual(Object.entries(CODES));
});
