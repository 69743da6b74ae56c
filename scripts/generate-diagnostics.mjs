// Writes docs/diagnostics.md from the table of codes and their explanations. Needs a build.
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { diagnosticsDocument } = createRequire(import.meta.url)(join(root, 'packages/export-core'));
writeFileSync(join(root, 'docs/diagnostics.md'), diagnosticsDocument());
