/** A frozen graph that stands in a SavedModel, because it is too large for graph.pb, gives the same .tflite. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { freezing } from '../../../executor-freeze/src/stages/freeze';
import { Project } from '../validate/testing/chain';

const SOURCE = join(__dirname, '../../../export-core/src/source/fixtures/wide/saved_model');
const YAML = `source: { savedModel: ${SOURCE}, signatures: [serving_default, count] }`;

async function converted(limit?: number): Promise<Buffer> {
  const project = new Project({ freeze: freezing(limit) });
  try {
    const { diagnostics } = await project.run(YAML, 'export-tflite');
    expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(existsSync(join(project.model, 'dist/frozen/graph.pb'))).toBe(limit === undefined);
    return readFileSync(join(project.model, 'dist/float/model.tflite'));
  } finally {
    project.remove();
  }
}

it('converts to the same bytes', async () => {
  expect((await converted(6000)).equals(await converted())).toBe(true);
});
