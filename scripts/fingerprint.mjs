// Writes dist/fingerprint.json of each package: the last step of the build, when everything else is in dist.
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const packages = fileURLToPath(new URL('../packages/', import.meta.url));
const { writeFingerprint } = createRequire(import.meta.url)(
  join(packages, 'export-core', 'dist', 'keys', 'fingerprint.js'),
);
for (const name of readdirSync(packages)) {
  if (existsSync(join(packages, name, 'dist'))) writeFingerprint(join(packages, name));
}
