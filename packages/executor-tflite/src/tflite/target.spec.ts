import { TfliteModel, TfliteOp, TfliteSubgraph, TfliteTensor } from './model';
import { checkSize, checkTarget } from './target';

function model(...ops: [code: string, source: string, type: string][]): TfliteModel {
  const graph = new TfliteSubgraph('main');
  graph.ops = ops.map(([code, source, type]) => {
    const op = new TfliteOp(code, [new TfliteTensor('a', type, [2])], [new TfliteTensor('b', type, [2])]);
    op.source = source;
    if (code === 'CUSTOM') op.customCode = 'Mine';
    return op;
  });
  const result = new TfliteModel();
  result.subgraphs.push(graph);
  return result;
}

describe('checkTarget', () => {
  it('finds nothing where the target has everything', () => {
    expect(checkTarget(model(['ABS', 'x', 'FLOAT32'], ['CUSTOM', 'y', 'FLOAT32']), undefined)).toEqual([]);
    expect(checkTarget(model(['ABS', 'x', 'FLOAT32'], ['CUSTOM', 'y', 'FLOAT32']), 'tflm')).toEqual([]);
    expect(checkTarget(model(['GELU', 'x', 'FLOAT32']), '2.14')).toEqual([]);
  });

  it('names node, operator, version and the runtime that has it, once for all nodes alike', () => {
    const found = checkTarget(
      model(
        ['GELU', 'block/gelu', 'FLOAT32'],
        ['GELU', 'block/gelu_1', 'FLOAT32'],
        ['GELU', 'q/gelu', 'INT8'],
      ),
      '2.8',
    );
    expect(found.map(({ code, node }) => [code, node])).toEqual([
      ['T003', 'block/gelu'],
      ['T003', 'q/gelu'],
    ]);
    expect(found[0].message).toMatch(
      /GELU of "block\/gelu" and 1 more needs version 1, .* TFLite 2\.9\.0; the target is 2\.8/,
    );
    expect(found[1].message).toContain('version 2');
    expect(found[0].hint).toContain('"2.9.0"');
  });

  it('knows what TFLite Micro has not', () => {
    const [found, ...rest] = checkTarget(
      model(['TOPK_V2', 'top', 'FLOAT32'], ['ADD', 'sum', 'FLOAT32']),
      'tflm',
    );
    expect(found).toMatchObject({ code: 'T003', severity: 'error', node: 'top' });
    expect(found.message).toContain('TFLite Micro');
    expect(rest).toEqual([]);
  });

  it('refuses operators that no runtime has', () => {
    const [found] = checkTarget(model(['CONCAT_EMBEDDINGS', 'old', 'FLOAT32']), undefined);
    expect(found).toMatchObject({ code: 'T003', node: 'old' });
  });
});

describe('checkSize', () => {
  const large = 2.5 * 2 ** 30;

  it('T005: runtimes before 2.14 read files of up to 2 GiB', () => {
    expect(checkSize(large, '2.13')).toMatchObject({
      code: 'T005',
      severity: 'error',
      message: 'the model has 2.5 GiB, and TFLite 2.13 reads files of up to 2 GiB',
      hint: 'target: { runtime: "2.14" }, or a variant with smaller weights: variants: { dynamic: { quantization: dynamic } }',
    });
    expect(checkSize(large, 'tflm')?.hint).toMatch(/^a variant with smaller weights/);
  });

  it('nothing is wrong with small ones, or with runtimes that read them', () => {
    expect([checkSize(2 ** 30, '2.3'), checkSize(large, '2.14'), checkSize(large, undefined)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});
