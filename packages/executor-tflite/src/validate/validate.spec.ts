/** Every finding, on artefacts that TensorFlow wrote and a script bent (fixtures/make_fixtures.py). */
import { runChain } from './testing/chain';
import { FINDINGS, graph, IO } from './testing/findings';

test.each(FINDINGS)('$code: $title', async (finding) => {
  const { diagnostics, ok, text } = await runChain(finding.yaml);
  const same = diagnostics.filter(
    (d) => d.code === finding.code && (finding.node === undefined || d.node === finding.node),
  );
  const found = same.find((d) => matches(d.message, finding.message)) ?? same[0];
  expect(found).toBeDefined();
  expect(found.severity).toBe(finding.severity ?? 'error');
  expect(ok).toBe(!diagnostics.some((d) => d.severity === 'error'));
  if (finding.message !== undefined) expect(found.message).toMatch(finding.message);
  if (finding.hint !== undefined) expect(found.hint).toMatch(finding.hint);
  // The place: a line of model.yaml under which a caret stands, and its path for the reports.
  expect(found.where).toMatchObject({
    path: finding.at,
    line: expect.any(Number),
    column: expect.any(Number),
  });
  expect(text).toMatch(/^ +\| +\^+$/m);
});

function matches(text: string, wanted: string | RegExp | undefined): boolean {
  return wanted === undefined || (typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text));
}

test('a good model has nothing to say', async () => {
  const { ok, diagnostics, report } = await runChain(`${graph('good')}\n${IO}`);
  expect({ ok, diagnostics }).toEqual({ ok: true, diagnostics: [] });
  expect(report).toEqual({ ok: true, counts: { error: 0, warning: 0, note: 0 }, diagnostics: [] });
});

test('everything that is wrong with a model is told in one run', async () => {
  const { diagnostics } = await runChain(`${graph('placeholders')}
inputs: [{ name: image, tensor: "image:0", dtype: float32, shape: [1, 3, 8, 8] }]
outputs:
  - { name: a, tensor: feature }
  - { name: b, tensor: train_op }
  - { name: c, tensor: "halves:2" }
  - { name: d, tensor: "precise:0", dtype: float32 }`);
  expect(diagnostics.map((d) => `${d.code} ${d.where?.path}`)).toEqual([
    'G001 outputs[0].tensor',
    'G001 outputs[1].tensor',
    'G001 outputs[2].tensor',
    'G002 outputs[3].dtype',
    'G002 inputs[0].dtype',
    'G003 inputs[0].shape',
  ]);
});
