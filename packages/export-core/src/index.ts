/** What a TensorFlow model is: descriptor, formats, graph, ops, passes, diagnostics, keys. */
export * from './diagnostics/codes';
export * from './diagnostics/diagnostic';
export * from './graph/attr';
export * from './graph/graph';
export * from './graph/graphdef';
export * from './graph/write-graphdef';
export * from './ops/op-def';
export * from './ops/op-row';
export * from './ops/table';
export * from './passes/fold-constants';
export * from './passes/infer-shapes';
export * from './passes/pass';
export * from './tensor/dtype';
export * from './tensor/shape';
export * from './tensor/tensor';
