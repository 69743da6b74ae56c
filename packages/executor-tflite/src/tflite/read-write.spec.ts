import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { FloeError, joinPieces } from '@floe/export-core';
import { TfliteModel, TfliteOp, TfliteSubgraph, TfliteTensor } from './model';
import { readModel } from './read';
import { packStrings, unpackStrings } from './strings';
import { writeModel } from './write';

const fixture = (name: string) => readFileSync(join(__dirname, `fixtures/${name}.tflite`));

/** What a model says, without object identities. */
function contents(model: TfliteModel): unknown {
  return {
    signatures: model.signatures.map((s) => ({
      key: s.key,
      subgraph: model.subgraphs.indexOf(s.subgraph),
      inputs: s.inputs.map((i) => [i.name, i.tensor.name]),
      outputs: s.outputs.map((i) => [i.name, i.tensor.name]),
    })),
    metadata: [...model.metadata],
    subgraphs: model.subgraphs.map((g) => ({
      name: g.name,
      inputs: g.inputs.map((t) => t.name),
      outputs: g.outputs.map((t) => t.name),
      tensors: g
        .tensors()
        .map((t) => ({ ...t, buffer: t.buffer && Buffer.from(t.buffer.bytes).toString('hex') })),
      ops: g.ops.map((op) => ({
        code: op.code,
        customCode: op.customCode,
        custom: op.customOptions && Buffer.from(op.customOptions).toString('hex'),
        inputs: op.inputs.map((t) => t?.name),
        outputs: op.outputs.map((t) => t.name),
        options: op.options,
        called: Object.entries(op.subgraphs ?? {}).map(([k, s]) => [k, model.subgraphs.indexOf(s)]),
      })),
    })),
  };
}

/** A model with everything the format's corners are made of. */
function sampler(): TfliteModel {
  const model = new TfliteModel();
  const main = new TfliteSubgraph('main');
  const x = new TfliteTensor('x', 'FLOAT32', [-1, 4]);
  const anyRank = new TfliteTensor('any', 'FLOAT32', undefined);
  const scalar = new TfliteTensor('scalar', 'INT32', []);
  scalar.buffer = { bytes: new Uint8Array(Int32Array.of(7).buffer) };
  const shared = { bytes: new Uint8Array(64).fill(3) };
  const weights = new TfliteTensor('weights', 'INT8', [4, 16]);
  weights.buffer = shared;
  weights.quantization = { scale: [0.5, 0.25, 1, 2], zeroPoint: [0, 0, -128, 127], axis: 0 };
  const twin = new TfliteTensor('twin', 'INT8', [64]);
  twin.buffer = { bytes: Uint8Array.from(shared.bytes) };
  const state = new TfliteTensor('state', 'FLOAT32', [4]);
  state.isVariable = true;
  const custom = new TfliteOp('CUSTOM', [x, undefined, weights, twin, scalar, state], [anyRank]);
  custom.customCode = 'Mine';
  custom.customOptions = Uint8Array.of(1, 2, 3);
  main.ops.push(custom);
  main.inputs = [x];
  main.outputs = [anyRank];
  model.subgraphs.push(main);
  model.signatures.push({
    key: 'serve',
    subgraph: main,
    inputs: [{ name: 'in', tensor: x }],
    outputs: [{ name: 'out', tensor: anyRank }],
  });
  model.metadata.set('note', Buffer.from('hello'));
  return model;
}

describe('writing and reading', () => {
  it.each(['int8', 'loop'])('gives back what TensorFlow wrote: %s', (name) => {
    const model = readModel(fixture(name), name);
    const again = readModel(joinPieces(writeModel(model)), name);
    expect(contents(again)).toEqual(contents(model));
  });

  it('gives back unknown sizes and ranks, scales, variables, custom operators and missing inputs', () => {
    const model = sampler();
    const again = readModel(joinPieces(writeModel(model)), 'sampler');
    expect(contents(again)).toEqual(contents(model));
    const [graph] = again.subgraphs;
    expect(graph.inputs[0].shape).toEqual([-1, 4]);
    expect(graph.outputs[0].shape).toBeUndefined();
  });

  it('stores equal constants once', () => {
    const file = joinPieces(writeModel(sampler()));
    const model = readModel(file, 'sampler');
    const tensors = model.subgraphs[0].tensors();
    const bytes = (name: string) => tensors.find((t) => t.name === name)!.buffer!.bytes;
    expect(bytes('weights').byteOffset).toBe(bytes('twin').byteOffset);
    expect((bytes('weights').byteOffset - file.byteOffset) % 16).toBe(0);
  });

  it('writes the same bytes for the same model', () => {
    const first = joinPieces(writeModel(sampler()));
    expect(joinPieces(writeModel(sampler())).equals(first)).toBe(true);
    expect(joinPieces(writeModel(readModel(first, 'first'))).equals(first)).toBe(true);
  });

  it('names buffers by offset beyond the limit of ordinary flatbuffers', () => {
    const model = sampler();
    const small = joinPieces(writeModel(model));
    const large = joinPieces(writeModel(model, 64));
    expect(large.equals(small)).toBe(false);
    expect(contents(readModel(large, 'large'))).toEqual(contents(model));
    const weights = readModel(large, 'large')
      .subgraphs[0].tensors()
      .find((t) => t.name === 'weights')!;
    expect((weights.buffer!.bytes.byteOffset - large.byteOffset) % 16).toBe(0);
    // Constants stand behind all tables.
    expect(large.subarray(large.indexOf(Buffer.alloc(64, 3))).length).toBeLessThan(200);
  });

  it('keeps operators and types that it has no name for', () => {
    const model = sampler();
    model.subgraphs[0].ops[0].code = '#300';
    model.subgraphs[0].ops[0].customCode = undefined;
    model.subgraphs[0].outputs[0].type = '#99';
    const again = readModel(joinPieces(writeModel(model)), 'newer');
    expect(again.subgraphs[0].ops[0].code).toBe('#300');
    expect(again.subgraphs[0].outputs[0].type).toBe('#99');
  });
});

describe('damaged files', () => {
  const read = (bytes: Uint8Array): 'read' | string => {
    try {
      readModel(bytes, 'damaged.tflite');
      return 'read';
    } catch (error) {
      if (!(error instanceof FloeError)) throw error;
      return error.diagnostics[0].code;
    }
  };

  it('is no .tflite file without its mark', () => {
    expect(read(Buffer.from('not a model at all'))).toBe('S003');
    expect(read(new Uint8Array(0))).toBe('S003');
  });

  it('refuses every truncation that cuts something off', () => {
    for (const name of ['int8', 'loop']) {
      const bytes = fixture(name);
      for (let length = 8; length < bytes.length - 64; length++) {
        expect(['S004', 'read']).toContain(read(bytes.subarray(0, length)));
      }
      expect(read(bytes.subarray(0, 200))).toBe('S004');
    }
  });

  it('refuses or reads whatever bits are flipped', () => {
    const files = [fixture('int8'), fixture('loop'), joinPieces(writeModel(sampler()))];
    const flips = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(fc.nat(files.length - 1), flips, (file, list) => {
        const bytes = Uint8Array.from(files[file]);
        for (const [at, mask] of list) bytes[8 + (at % (bytes.length - 8))] ^= mask;
        expect(['S004', 'read']).toContain(read(bytes));
      }),
      { numRuns: 5000, seed: 1 },
    );
  });

  it('refuses a small file that says as much as a huge one', () => {
    // One table of 400 subgraph offsets, all to one subgraph of 400 tensor offsets, all to one tensor.
    const n = 400;
    const words: number[] = [];
    const at = () => words.length * 4;
    const table = (slots: (number | undefined)[]): number => {
      const vtable = at();
      const entries = [4 + 2 * slots.length, 4 * (slots.filter((s) => s !== undefined).length + 1)];
      let offset = 4;
      for (const s of slots) {
        entries.push(s === undefined ? 0 : offset);
        if (s !== undefined) offset += 4;
      }
      if (entries.length % 2) entries.push(0);
      for (let i = 0; i < entries.length; i += 2) words.push(entries[i] | (entries[i + 1] << 16));
      const start = at();
      words.push(start - vtable);
      // Forward offsets, filled in by `point`.
      for (const s of slots) if (s !== undefined) words.push(0);
      return start;
    };
    const point = (from: number, to: number) => (words[from / 4] = to - from);
    words.push(0, 0x334c4654);
    const model = table([undefined, undefined, 0]);
    point(0, model);
    const vector = (owner: number): number[] => {
      point(owner, at());
      words.push(n);
      const items = Array.from({ length: n }, (_, i) => at() + 4 * i);
      for (let i = 0; i < n; i++) words.push(0);
      return items;
    };
    const graphs = vector(model + 4);
    const graph = table([0]);
    for (const item of graphs) point(item, graph);
    const tensors = vector(graph + 4);
    const one = table([]);
    for (const item of tensors) point(item, one);
    expect(read(new Uint8Array(Uint32Array.from(words).buffer))).toBe('S004');
  });
});

describe('string tensors', () => {
  it('are given back', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array()), (strings) => {
        expect(unpackStrings(packStrings(strings)).map((s) => [...s])).toEqual(strings.map((s) => [...s]));
      }),
    );
  });

  it('are refused when they leave their buffer', () => {
    const packed = packStrings([Buffer.from('ab'), Buffer.from('c')]);
    for (let length = 0; length < packed.length; length++) {
      expect(() => unpackStrings(packed.subarray(0, length))).toThrow(RangeError);
    }
  });
});
