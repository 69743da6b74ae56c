import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CODES, type Code } from './codes';
import { codeNamed, diagnosticsDocument, explanationOf, explanationText } from './explanations';

const codes = Object.keys(CODES) as Code[];

test('docs/diagnostics.md is what the table says (npm run build; node scripts/generate-diagnostics.mjs)', () => {
  const text = readFileSync(join(__dirname, '../../../../docs/diagnostics.md'), 'utf8');
  expect(text).toBe(diagnosticsDocument());
});

test.each(codes)('%s has a cause, an example and a cure', (code) => {
  const { cause, example, cure } = explanationOf(code);
  for (const text of [cause, example, cure]) expect(text.trim()).not.toBe('');
  expect(cause).toMatch(/[.:]$/);
  expect(explanationText(code)).toContain(cure);
});

test('codes are found however they are written', () => {
  expect(codeNamed(' g001 ')).toBe('G001');
  expect(codeNamed('X999')).toBeUndefined();
  expect(codeNamed('constructor')).toBeUndefined();
});
