// Copies what tsc leaves behind (JSON schemas, data tables, generator templates) from src to dist, and the licence
// into each package: npm packs no file from outside.
import { cpSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const packages = join(dirname(fileURLToPath(import.meta.url)), '..', 'packages');
for (const name of readdirSync(packages)) {
  cpSync(join(packages, '..', 'LICENSE'), join(packages, name, 'LICENSE'));
  const src = join(packages, name, 'src');
  for (const entry of readdirSync(src, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    const path = relative(src, file);
    const asset = /\.json$/.test(path) || /(^|\/)files\//.test(path);
    if (!entry.isFile() || !asset || /(^|\/)fixtures\//.test(path)) continue;
    const target = join(packages, name, 'dist', path);
    mkdirSync(dirname(target), { recursive: true });
    cpSync(file, target);
  }
}
