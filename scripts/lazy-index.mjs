// Makes the index of export-core load a module when something of it is first used: the hook and the executors of Nx
// need a tenth of it, and loading all of it takes longer than all that they do in a run that finds everything cached.
// Runs behind tsc, whose own index (everything at once) is as right.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../packages/export-core/', import.meta.url));
const require = createRequire(`${folder}dist/index.js`);
const source = readFileSync(`${folder}src/index.ts`, 'utf8');

/** Which module each name comes from. */
const modules = {};
for (const [, list, from] of source.matchAll(/^export (?:\*|\{([^}]*)\}) from '(.*)';$/gm)) {
  const names = list === undefined ? Object.keys(require(from)) : list.split(',').map((name) => name.trim());
  for (const name of names.filter(Boolean)) {
    if (modules[name] !== undefined) throw new Error(`${name} comes from ${modules[name]} and from ${from}`);
    modules[name] = from;
  }
}

const names = Object.keys(modules).sort();
writeFileSync(
  `${folder}dist/index.js`,
  `'use strict';
// Made by scripts/lazy-index.mjs.
const modules = ${JSON.stringify(modules)};
for (const name of Object.keys(modules)) {
  Object.defineProperty(exports, name, {
    enumerable: true,
    configurable: true,
    get() {
      const value = require(modules[name])[name];
      Object.defineProperty(exports, name, { value, enumerable: true });
      return value;
    },
  });
}
Object.defineProperty(exports, '__esModule', { value: true });
// Never run: it tells Node the names that \`import\` may ask for.
0 && (module.exports = { ${names.join(', ')} });
`,
);
