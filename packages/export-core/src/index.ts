/** What a TensorFlow model is: descriptor, formats, graph, ops, passes, diagnostics, keys. */
export * from './bytes/limits';
export * from './checks/index';
export * from './contract/contract';
export * from './contract/find-tensor';
export * from './contract/propose';
export * from './contract/resolve';
export * from './descriptor/load';
export { CALIBRATED_QUANTIZATIONS } from './descriptor/names';
export type {
  ContractInput,
  ContractOutput,
  Descriptor,
  DescriptorInput,
  DetectionKeys,
  ImageSettings,
  Quantization,
  Source,
  Variant,
} from './descriptor/schema';
export * from './detection/block';
export * from './detection/detection';
export * from './detection/pipeline-config';
export * from './detection/recognise';
export * from './diagnostics/codes';
export * from './diagnostics/diagnostic';
export * from './diagnostics/explanations';
export * from './diagnostics/print';
export * from './diagnostics/sarif';
export * from './diagnostics/suggest';
export * from './graph/attr';
export * from './graph/graph';
export * from './graph/graphdef';
export * from './graph/write-graphdef';
export * from './keys/atomic';
export * from './keys/fingerprint';
export * from './keys/handed-keys';
export * from './keys/lock';
export * from './keys/lock-mode';
export * from './keys/manifest';
export * from './keys/memo';
export * from './keys/stage-key';
export { postProcessSettings } from './ops/detection';
export type { PostProcessSettings } from './ops/kernels/detection-postprocess';
export * from './ops/op-def';
export * from './ops/op-row';
export * from './ops/table';
export * from './passes/cut-inputs';
export * from './passes/fold-constants';
export * from './passes/freeze-context';
export * from './passes/freeze-pipeline';
export { functionRefs, reachableFunctions } from './passes/function-calls';
export { sharedName } from './passes/variable-uses';
export * from './passes/infer-shapes';
export * from './passes/pass';
export * from './source/frozen-model';
export * from './source/graph-file';
export * from './source/load-source';
export * from './source/write-saved-model';
export * from './scheduling/executor';
export * from './scheduling/run-jobs';
export * from './stages/model-project';
export * from './stages/now-and-then';
export * from './stages/print-result';
export * from './stages/remake';
export * from './stages/run-stage';
export * from './stages/scheduled';
export * from './stages/stage';
export * from './stages/table';
export * from './stages/target-key';
export * from './stages/targets';
export * from './tensor/dtype';
export * from './tensor/shape';
export * from './tensor/tensor';
export * from './inspect/describe-graph';
export * from './inspect/inspect';
export { readFile, systemError } from './format/file';
export * from './format/npz';
export * from './format/sniff';
