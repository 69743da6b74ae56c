import { diagnosticToJson, printDiagnostics } from './print';
import type { Diagnostic } from './diagnostic';

const TEXT = 'version: 1\nsource:\n\tchekpoint: a\n';
const unknownKey: Diagnostic = {
  code: 'D002',
  severity: 'error',
  message: 'unknown key `chekpoint`',
  where: { file: 'model.yaml', line: 3, column: 2, length: 9 },
  hint: 'did you mean `checkpoint`?',
};
const unused: Diagnostic = { code: 'G005', severity: 'warning', message: 'not needed', node: 'input:0' };

describe('printDiagnostics', () => {
  it('groups by severity and shows line, caret, node and hint', () => {
    const text = printDiagnostics([unused, unknownKey, { ...unused, severity: 'note' }, unknownKey], {
      source: () => TEXT,
    });
    expect(text).toBe(`error D002: unknown key \`chekpoint\`
  at model.yaml:3:2
  3 |  chekpoint: a
    |  ^^^^^^^^^
  hint did you mean \`checkpoint\`?

error D002: unknown key \`chekpoint\`
  at model.yaml:3:2
  3 |  chekpoint: a
    |  ^^^^^^^^^
  hint did you mean \`checkpoint\`?

warning G005: not needed
  node input:0

note G005: not needed
  node input:0

2 errors, 1 warning, 1 note
`);
  });

  it('does without the text, the line, or anything to say', () => {
    expect(printDiagnostics([unknownKey])).toContain('  at model.yaml:3:2\n  hint');
    expect(printDiagnostics([{ ...unused, where: { file: 'a.pb' } }], { source: () => TEXT })).toContain(
      '  at a.pb\n',
    );
    expect(
      printDiagnostics([{ ...unknownKey, where: { file: 'model.yaml', line: 99, column: 1 } }], {
        source: () => TEXT,
      }),
    ).toContain('  at model.yaml:99:1\n  hint');
    expect(printDiagnostics([])).toBe('');
  });

  it('names files as the caller wants them', () => {
    expect(printDiagnostics([unknownKey], { fileName: (file) => `models/${file}` })).toContain(
      'at models/model.yaml:3:2',
    );
  });

  it('is coloured only when asked', () => {
    expect(printDiagnostics([unknownKey])).not.toContain('\x1b');
    expect(printDiagnostics([unknownKey], { color: true })).toContain('\x1b[1;31merror D002\x1b[0m');
  });

  it('lets no control character of a file through', () => {
    const text = printDiagnostics(
      [{ ...unused, message: 'bad \x1b[2J\u202e', where: { file: 'a\nb', line: 1, column: 4, length: 1 } }],
      { source: () => 'x\x1b]y' },
    );
    expect(text).toContain('bad \\u001b[2J\\u202e');
    expect(text).toContain('at a\\u000ab:1:4\n  1 | x\\u001b]y\n    |         ^\n');
  });

  it('cuts long lines around the place', () => {
    const line = 'a'.repeat(500) + 'HERE' + 'b'.repeat(500);
    const where = { file: 'm', line: 1, column: 501, length: 4 };
    const [, , shown, carets] = printDiagnostics([{ ...unused, where }], { source: () => line }).split('\n');
    expect(shown.length).toBeLessThan(120);
    expect(shown.slice(carets.indexOf('^'), carets.lastIndexOf('^') + 1)).toBe('HERE');
  });
});

describe('diagnosticToJson', () => {
  it('has a fixed order and only what is there', () => {
    expect(JSON.stringify(diagnosticToJson(unused))).toBe(
      '{"code":"G005","severity":"warning","message":"not needed","node":"input:0"}',
    );
    expect(Object.keys(diagnosticToJson(unknownKey))).toEqual([
      'code',
      'severity',
      'message',
      'hint',
      'where',
    ]);
  });
});
