import { Project } from './testing/chain';

const GOOD = `source: { frozenGraph: FIXTURES/environment.pb }
inputs: [{ name: x, tensor: "x:0" }]
outputs: [{ name: y, tensor: "y:0" }]`;

let project: Project;
beforeEach(() => (project = new Project()));
afterEach(() => project.remove());

test('the report of a run that succeeded has paths and no lines: a comment changes nothing in it', async () => {
  const before = await project.run(GOOD);
  const after = await project.run(`# a comment\n${GOOD}`);
  expect(before.ok).toBe(true);
  expect(before.diagnostics[0].where?.line).not.toBe(after.diagnostics[0].where?.line);
  expect(after.report).toEqual(before.report);
  expect(after.sarif).toEqual(before.sarif);
  expect(before.report).toMatchObject({
    ok: true,
    counts: { error: 0, warning: 0, note: 1 },
    diagnostics: [{ code: 'G019', where: { file: 'model.yaml', path: 'source.frozenGraph' } }],
  });
  expect(JSON.stringify([before.report, before.sarif])).not.toContain(project.root);
});

test('the report of a run that failed has lines, named from the workspace', async () => {
  const { ok, report, sarif } = await project.run(`${GOOD}\ntarget: { tensorflow: "1.12" }`);
  expect(ok).toBe(false);
  const [error] = report!.diagnostics;
  expect(error.where).toEqual({
    file: 'models/model/model.yaml',
    line: 5,
    column: 23,
    length: 6,
    path: 'target.tensorflow',
  });
  const [{ tool, results }] = sarif!.runs;
  expect(results[0]).toMatchObject({
    ruleId: 'G018',
    level: 'error',
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: 'models/model/model.yaml', uriBaseId: '%SRCROOT%' },
          region: { startLine: 5, startColumn: 23, endColumn: 29 },
        },
        logicalLocations: [{ fullyQualifiedName: 'target.tensorflow' }, { fullyQualifiedName: 'conv' }],
      },
    ],
  });
  expect(tool.driver.rules[0]).toMatchObject({
    id: 'G018',
    shortDescription: { text: 'newer than the target TensorFlow' },
    help: { text: expect.stringContaining('Cure:'), markdown: expect.stringContaining('**Cure:**') },
  });
});
