import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { descriptorJsonSchema } from './schema';

type Json = Record<string, unknown>;

describe('model.schema.json', () => {
  it('is current: else run `npm run build && node scripts/generate-schema.mjs`', () => {
    const file = join(__dirname, '../../model.schema.json');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(descriptorJsonSchema());
  });

  it('describes every key for editors', () => {
    const bare: string[] = [];
    const walk = (schema: Json, path: string): void => {
      for (const [key, child] of Object.entries((schema.properties ?? {}) as Record<string, Json>)) {
        if (typeof child.description !== 'string') bare.push(`${path}.${key}`);
        walk(child, `${path}.${key}`);
      }
      for (const inner of [schema.items, schema.additionalProperties, ...((schema.anyOf ?? []) as Json[])]) {
        if (typeof inner === 'object' && inner !== null) walk(inner as Json, path);
      }
    };
    walk(descriptorJsonSchema(), '');
    expect(bare).toEqual([]);
  });
});
