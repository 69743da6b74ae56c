// Writes packages/export-core/model.schema.json, the JSON Schema of model.yaml, from the built package's schema.
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';

const core = new URL('../packages/export-core/', import.meta.url);
const require = createRequire(core);
const { descriptorJsonSchema } = require('./dist/descriptor/schema.js');

const file = fileURLToPath(new URL('model.schema.json', core));
const options = { ...(await resolveConfig(file)), filepath: file };
writeFileSync(file, await format(JSON.stringify(descriptorJsonSchema()), options));
