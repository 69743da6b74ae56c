import fc from 'fast-check';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadDescriptor, parseDescriptor, type LoadedDescriptor } from './load';
import { MAX_YAML_BYTES } from './yaml-file';

const loadedAtStart = Object.keys(require.cache);

const GOOD = `version: 1
source: { checkpoint: ckpt/model.ckpt-10 }
inputs: [{ name: image, tensor: "input:0", dtype: float32, shape: [1, null], range: [-1, 1] }]
outputs: [{ name: probabilities, tensor: Softmax }]
`;

function load(text: string): LoadedDescriptor {
  return parseDescriptor('/models/resnet/model.yaml', text);
}

/** `line:column CODE message (hint)` of every problem. */
function problems({ diagnostics }: LoadedDescriptor): string[] {
  return diagnostics.map(
    (d) => `${d.where?.line}:${d.where?.column} ${d.code} ${d.message}${d.hint ? ` (${d.hint})` : ''}`,
  );
}

/** The good file with something after it. */
function withMore(more: string): string[] {
  return problems(load(GOOD + more));
}

describe('a right model.yaml', () => {
  it('is resolved with every default', () => {
    const { descriptor, diagnostics, outline } = load(GOOD);
    expect(diagnostics).toEqual([]);
    expect(outline).toEqual({ name: 'resnet', variants: ['float'] });
    expect(descriptor).toEqual({
      version: 1,
      name: 'resnet',
      source: { checkpoint: 'ckpt/model.ckpt-10' },
      inputs: [{ name: 'image', tensor: 'input:0', dtype: 'float32', shape: [1, null], range: [-1, 1] }],
      outputs: [{ name: 'probabilities', tensor: 'Softmax' }],
      freeze: { variables: 'raw' },
      tflite: {},
      target: {},
      allowCustomOps: [],
      variants: {
        float: { quantization: 'none', io: 'float32', onUnsupported: 'float', biasCorrection: true },
      },
      verify: { tolerance: 1e-4, required: false },
    });
  });

  it('may leave maps empty, use anchors, CRLF, a byte order mark and comments', () => {
    const text = `\uFEFF# model\r\n${GOOD.replaceAll('\n', '\r\n')}freeze:\r\nvariants:\r\n  a: &a {}\r\n  b: *a\r\n  c:\r\n`;
    const { descriptor, diagnostics } = load(text);
    expect(diagnostics).toEqual([]);
    expect(Object.keys(descriptor?.variants ?? {})).toEqual(['a', 'b', 'c']);
  });

  it('finds places of values, of keys of maps, and of parents of what is not there', () => {
    const { place } = load(GOOD + 'verify:\n  tolerance: 1.0e-3\n');
    const at = (...path: (string | number)[]): string => {
      const { line, column, length } = place(path);
      return `${line}:${column}+${length}`;
    };
    expect(at('inputs', 0, 'tensor')).toBe('3:33+9');
    expect(at('inputs', 0, 'shape', 1)).toBe('3:71+4');
    expect(at('verify', 'tolerance')).toBe('6:14+6');
    expect(at('verify')).toBe('5:1+6');
    expect(at('verify', 'data')).toBe('5:1+6');
    expect(at('target', 'runtime')).toBe('1:1+10');
  });
});

describe('a wrong model.yaml', () => {
  it('is told everything at once, in the order of the file', () => {
    const { descriptor, ...rest } = load(`version: 2
nam: x
source:
  checkpoint: a
  frozenGraph: c
  grap: d
inputs:
  - { name: image, tensor: 5, dtype: float33, shape: [-1, x, 3], range: [1] }
  - { name: image, tensor: "a:0", range: [1, 0] }
  - 5
outputs: aut
target: { runtime: 2.10, tensorflow: abc }
variants:
  frozen: {}
  Int 8: { io: int8 }
  ok: { calibraton: {} }
verify: { tolerance: -1, data: "", io: 4 }
samples: 4
`);
    expect(descriptor).toBeUndefined();
    expect(rest.outline).toEqual({ name: 'resnet', variants: ['ok'] });
    expect(problems(rest)).toMatchInlineSnapshot(`
     [
       "1:10 D003 version 2 of model.yaml is not known: this is version 1",
       "2:1 D002 unknown key \`nam\` (did you mean \`name\`?)",
       "5:16 D005 \`source\` has two kinds: \`checkpoint\` and \`frozenGraph\` (keep the one that the model comes from)",
       "6:3 D002 unknown key \`grap\` in \`source\` (did you mean \`graph\`?)",
       "8:28 D003 \`inputs[0].tensor\` must be text, not the number 5 (write it in quotes: "5")",
       "8:38 D003 \`inputs[0].dtype\` must be one of TensorFlow's element types, not \`float33\` (did you mean \`float32\`, \`float16\` or \`float64\`?)",
       "8:55 D003 \`inputs[0].shape[0]\` must be at least 0, not the number -1 (an unknown size is written \`null\`)",
       "8:59 D003 \`inputs[0].shape[1]\` must be a number, not \`x\`",
       "8:66 D003 \`inputs[0].range\` must have at least 2 entries, not a list of 1",
       "9:13 D005 \`image\` names two inputs: inputs[0] and inputs[1]",
       "9:35 D003 the range [1, 0] is empty (smallest value first)",
       "10:5 D003 \`inputs[2]\` must be a map, not the number 5",
       "11:10 D003 \`outputs\` must be a list of outputs or \`auto\`, not \`aut\` (did you mean \`auto\`?)",
       "12:20 D003 \`target.runtime\` must be text, not the number 2.10 (write it in quotes: "2.10")",
       "12:38 D003 \`target.tensorflow\` must be a version such as "1.15", not \`abc\`",
       "14:3 D003 a variant cannot be called \`frozen\`: that folder of dist belongs to a stage",
       "15:3 D003 \`Int 8\` cannot name a variant: only a-z, 0-9, _ and -, beginning with a letter or digit (\`int-8\`)",
       "15:16 D005 \`io\` has no meaning with \`quantization: none\`: it needs int8 or int16x8",
       "16:9 D002 unknown key \`calibraton\` in \`variants.ok\` (did you mean \`calibration\`?)",
       "17:22 D003 \`verify.tolerance\` must be greater than 0, not the number -1",
       "17:32 D003 \`verify.data\` must be a path",
       "17:36 D002 unknown key \`io\` in \`verify\` (\`io\` stands at \`variants.*.io\`)",
       "18:1 D002 unknown key \`samples\` (\`samples\` stands at \`variants.*.calibration.samples\`)",
     ]
    `);
  });

  it('is told what is missing', () => {
    expect(problems(load('name: x\n'))).toMatchInlineSnapshot(`
     [
       "1:1 D004 \`version\` is missing (\`version: 1\`)",
       "1:1 D004 \`source\` is missing",
       "1:1 D004 \`outputs\` is missing (see \`floe inspect\` for likely outputs)",
       "1:1 D004 \`inputs\` is missing (see \`floe inspect\` for likely inputs; a model without any has \`inputs: []\`)",
     ]
    `);
    expect(problems(load('version: 1\nsource: { graph: a.pb }\noutputs: []\n'))).toMatchInlineSnapshot(`
     [
       "1:1 D004 \`inputs\` is missing (see \`floe inspect\` for likely inputs; a model without any has \`inputs: []\`)",
       "2:1 D004 \`source\` names no model (a graph needs its \`checkpoint\`; a graph that is already frozen is a \`frozenGraph\`)",
       "3:1 D004 \`outputs\` is empty: nothing would be left of the graph",
     ]
    `);
    expect(
      problems(
        load('version: 1\nsource: { checkpoint: a }\ninputs: [{ name: x }]\noutputs: [{ tensor: y }]'),
      ),
    ).toMatchInlineSnapshot(`
     [
       "3:10 D004 \`tensor\` of \`x\` is missing (name the tensor of the graph: \`tensor: "node:0"\`)",
       "4:11 D004 \`outputs[0].name\` is missing",
     ]
    `);
    expect(problems(load('just text'))).toEqual(['1:1 D003 the file must be a map, not `just text`']);
  });

  it.each([
    ['source: { checkpoint: a, savedModel: b, graph: c }', ['source', 'graph']],
    ['source: { savedModel: b, signature: x, signatures: [x] }', ['source', 'signatures']],
    ['source: { frozenGraph: b, tags: [serve] }\ninputs: []\noutputs: auto', ['source', 'tags']],
    ['source: { savedModel: b, frozenGraph: c }', ['source', 'frozenGraph']],
    ['source: { savedModel: b }\ninputs: []\nsignatures: {}', ['inputs']],
    ['source: { savedModel: b }\nvariants: { a: { calibration: {} } }', ['variants', 'a', 'calibration']],
    [
      'source: { savedModel: b }\nvariants: { a: { quantization: dynamic, io: int8 } }',
      ['variants', 'a', 'io'],
    ],
    ['source: { savedModel: b }\nvariants: { a: { rules: [] } }', ['variants', 'a', 'rules']],
    ['source: { savedModel: b }\nverify: { images: {} }', ['verify', 'images']],
    [
      'source: { savedModel: b }\nvariants: { a: { quantization: int8, calibration: { images: {} } } }',
      ['variants', 'a', 'calibration', 'images'],
    ],
  ])('has conflicting keys: %s', (text, path) => {
    const loaded = load(`version: 1\n${text}\n`);
    const [first, ...more] = loaded.diagnostics;
    expect(first).toMatchObject({ code: 'D005', where: loaded.place(path) });
    expect(more).toEqual([]);
  });

  it('says where a known key belongs', () => {
    expect(withMore('calibration: {}\n')).toEqual([
      '5:1 D002 unknown key `calibration` (`calibration` stands at `variants.*.calibration`)',
    ]);
    expect(withMore('variants: { float: { <<: {} } }\n')[0]).toMatch(/^5:22 D002 merge keys/);
  });

  it('refuses ambiguous names', () => {
    expect(withMore('tflite: { outputs: [{ name: a, tensor: x }, { name: a, tensor: y }] }\n')).toEqual([
      '5:53 D005 `a` names two outputs: outputs[0] and outputs[1]',
    ]);
    expect(withMore('variants: {}\n')[0]).toMatch(/^5:1 D004 `variants` has no variant/);
  });

  it('is not fooled by keys that objects have by themselves', () => {
    const { diagnostics, descriptor } = load(GOOD + '__proto__: { a: 1 }\nconstructor: 1\n');
    expect(diagnostics.map((d) => d.message)).toEqual([
      'unknown key `__proto__`',
      'unknown key `constructor`',
    ]);
    expect(descriptor).toBeUndefined();
  });
});

describe('a file that is not YAML', () => {
  it.each([
    ['a tab', 'version: 1\nsource:\n\tcheckpoint: a\n', /^3:1 D001 .*\(indent with spaces\)$/],
    ['a duplicate key', 'version: 1\nversion: 1\n', /^2:1 D001 map keys must be unique/],
    ['an open quote', 'name: "abc\n', /D001 missing closing "quote/],
    ['two documents', 'version: 1\n---\nversion: 1\n', /^2:1 D001 /],
    ['an unknown tag', 'version: !!js/function "x"\n', /^1:10 D001 unresolved tag/],
    ['an alias of nothing', 'name: *x\n', /^1:7 D001 the alias \*x has no anchor before it/],
    ['an alias in itself', 'name: &x [*x]\n', /^1:11 D001 the alias \*x contains itself/],
    ['a map as key', '? { a: 1 }\n: 2\n', /^1:3 D001 /],
    ['nothing', '', /^1:1 D007 the file is empty/],
    ['comments only', '# nothing\n', /^1:1 D007 the file is empty/],
    ['deep nesting', 'inputs: ' + '['.repeat(5000) + ']'.repeat(5000), /D001 /],
    ['deeper nesting', 'a: ' + '{a: '.repeat(100_000), /D001 /],
  ])('%s', (_name, text, first) => {
    expect(problems(load(text))[0]).toMatch(first);
    expect(load(text).descriptor).toBeUndefined();
  });

  it('a bomb of aliases costs neither time nor memory', () => {
    const rows = ['a0: &a0 [x, x, x, x, x, x, x, x, x]'];
    for (let i = 1; i < 20; i++)
      rows.push(
        `a${i}: &a${i} [${Array(9)
          .fill(`*a${i - 1}`)
          .join(', ')}]`,
      );
    const start = performance.now();
    expect(problems(load(rows.join('\n')))).toEqual([
      '1:1 D001 aliases expand to too much (write the values out)',
    ]);
    expect(performance.now() - start).toBeLessThan(2000);
  });
});

it('whatever a file holds ends in diagnostics with places inside it', () => {
  const edit = fc.tuple(
    fc.nat(),
    fc.nat(20),
    fc.string({ unit: fc.constantFrom(...'{}[]:-,&*!|>#%@\'"? \n\ta1~') }),
  );
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
      let text = GOOD + 'variants:\n  float: {}\nverify: { tolerance: 0.1 }\n';
      for (const [at, length, insert] of edits) {
        const start = at % (text.length + 1);
        text = text.slice(0, start) + insert + text.slice(start + length);
      }
      const { descriptor, diagnostics } = load(text);
      expect(descriptor === undefined).toBe(diagnostics.length > 0);
      const lines = text.split('\n');
      for (const { where } of diagnostics) {
        expect(where?.line).toBeLessThanOrEqual(lines.length);
        expect(where?.column).toBeLessThanOrEqual(lines[where!.line! - 1].length + 1);
      }
    }),
    { numRuns: 1500 },
  );
});

describe('a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'floe-descriptor-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const write = (name: string, content: string | Uint8Array): LoadedDescriptor => {
    writeFileSync(join(folder, name), content);
    return loadDescriptor(join(folder, name));
  };

  it('is read and named in places', () => {
    const { diagnostics, descriptor } = write('good.yaml', GOOD + 'nam: x\n');
    expect(diagnostics[0].where).toEqual({ file: join(folder, 'good.yaml'), line: 5, column: 1, length: 3 });
    expect(descriptor).toBeUndefined();
  });

  it('that cannot be read is D007', () => {
    for (const [loaded, why] of [
      [loadDescriptor(join(folder, 'none.yaml')), 'there is no such file'],
      [loadDescriptor(folder), 'it is a folder'],
      [write('latin1.yaml', Buffer.from([0x61, 0x3a, 0x20, 0xe9])), 'it is not UTF-8 text'],
      [write('large.yaml', '#'.repeat(MAX_YAML_BYTES + 1)), `a model.yaml may have ${MAX_YAML_BYTES}`],
    ] as const) {
      expect(loaded.diagnostics).toMatchObject([{ code: 'D007', severity: 'error' }]);
      expect(loaded.diagnostics[0].message).toContain(why);
      expect(loaded.descriptor).toBeUndefined();
    }
  });

  it('needs neither yaml nor zod before it is read', () => {
    expect(loadedAtStart.filter((file) => /descriptor.load\.ts$/.test(file))).toHaveLength(1);
    expect(loadedAtStart.filter((file) => /node_modules.(zod|yaml)/.test(file))).toEqual([]);
  });
});
