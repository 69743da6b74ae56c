/** The tables that Nx and its editor plugins read of the generators. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_NAME, QUANTIZATIONS } from '../../export-core/src/descriptor/names';

interface Schema {
  title: string;
  examples: { command: string }[];
  properties: Record<
    string,
    { description?: string; pattern?: string; enum?: string[]; 'x-prompt'?: unknown }
  >;
  required: string[];
}

const packages = join(__dirname, '../..');
const read = <T>(...path: string[]): T => JSON.parse(readFileSync(join(packages, ...path), 'utf8')) as T;
type Table = {
  generators: Record<string, { factory: string; schema: string; description: string; hidden?: boolean }>;
};
const own = read<Table>('generators/generators.json').generators;
const floe = read<Table>('floe/generators.json').generators;
const source = (path: string): string => path.replace('./dist/', 'generators/src/');

it('floe has every generator, under the same words', () => {
  const moved = Object.entries(own).map(([name, { factory, schema, ...rest }]) => {
    const there = (path: string): string => path.replace('./', '@floe/generators/');
    return [name, { ...rest, factory: there(factory), schema: there(schema) }];
  });
  expect(floe).toEqual(Object.fromEntries(moved));
});

describe.each(Object.entries(own))('%s', (_, { factory, schema: path, hidden }) => {
  const schema = read<Schema>(source(path));

  it('has its code, a title, examples, and words for every option', () => {
    expect(existsSync(join(packages, source(factory).replace(/\.js$/, '.ts')))).toBe(true);
    expect(schema.title).toEqual(expect.any(String));
    for (const { command } of schema.examples)
      expect(command).toMatch(/^(npx create-nx-workspace|nx g floe:)/);
    for (const option of Object.values(schema.properties)) expect(option.description).toMatch(/\.$/);
  });

  it('asks for what it needs', () => {
    if (hidden) return expect(schema.required).toEqual([]);
    for (const name of schema.required) expect(schema.properties[name]['x-prompt']).toBeDefined();
  });

  it('knows the names that model.yaml knows', () => {
    const { quantization } = schema.properties;
    if (quantization) expect(quantization.enum).toEqual([...QUANTIZATIONS]);
    const { name } = schema.properties;
    if (name?.['x-prompt']) expect(name.pattern).toBe(PROJECT_NAME.source);
  });
});
