/** SavedModels changed at any byte: a frozen graph or a diagnostic, never another error, never a hang. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import * as fc from 'fast-check';
import { FloeError } from '../diagnostics/diagnostic';
import { GraphError } from '../graph/graph';
import { FIXTURES, freezeSource } from './testing/freeze-source';

const temporary = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'floe-')));
afterAll(() => fs.rmSync(temporary, { recursive: true, force: true }));

const YAML: Record<string, string> = {
  net: 'source: { savedModel: copy/saved_model, checkpoint: copy/trained }',
  flow: 'source: { savedModel: copy/saved_model }',
  lookup: 'source: { savedModel: copy/saved_model }',
};

it.each([
  ['net', 'saved_model/saved_model.pb'],
  ['net', 'trained.data-00000-of-00001'],
  ['flow', 'saved_model/saved_model.pb'],
  ['lookup', 'saved_model/saved_model.pb'],
  ['lookup', 'saved_model/assets/words.txt'],
])(
  '%s with a damaged %s',
  (name, file) => {
    const target = path.join(temporary, 'copy');
    fs.rmSync(target, { recursive: true, force: true });
    fs.cpSync(path.join(FIXTURES, name), target, { recursive: true });
    const whole = fs.readFileSync(path.join(target, file));
    const byte = fc.tuple(fc.integer({ min: 0, max: whole.length - 1 }), fc.integer({ min: 1, max: 255 }));
    fc.assert(
      fc.property(
        fc.array(byte, { minLength: 1, maxLength: 3 }),
        fc.option(fc.integer({ min: 0, max: whole.length })),
        (flips, end) => {
          const damaged = Buffer.from(whole);
          for (const [at, change] of flips) damaged[at] ^= change;
          fs.writeFileSync(path.join(target, file), end === null ? damaged : damaged.subarray(0, end));
          try {
            freezeSource(YAML[name], temporary);
          } catch (error) {
            if (!(error instanceof FloeError) && !(error instanceof GraphError)) throw error;
          }
        },
      ),
      { numRuns: 150 },
    );
  },
  60_000,
);
