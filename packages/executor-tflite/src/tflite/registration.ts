/**
 * Which operators a model needs of its runtime, as data and as source: an app that registers just these links only
 * their kernels (selective registration).
 */
import type { TfliteModel } from './model';
import { operatorVersion } from './op-version';
import { MICRO_OPERATORS } from './target';

/** An operator at one version; custom ones go by the name they are registered under. */
export interface UsedOperator {
  name: string;
  version: number;
  custom?: true;
}

/** Every operator of a model with each version in use, once, by name. */
export function usedOperators(model: TfliteModel): UsedOperator[] {
  const all = new Map<string, UsedOperator>();
  for (const op of model.subgraphs.flatMap((g) => g.ops)) {
    const version = operatorVersion(op);
    const used: UsedOperator =
      op.customCode === undefined
        ? { name: op.code, version }
        : { name: op.customCode, version, custom: true };
    all.set(`${used.name} ${version}`, used);
  }
  return [...all.values()].sort((a, b) =>
    a.name < b.name ? -1 : a.name > b.name ? 1 : a.version - b.version,
  );
}

/** TensorFlow Lite's own names for the kernels of custom operators that come with it. */
const CUSTOM_KERNELS: Partial<Record<string, string>> = {
  TFLite_Detection_PostProcess: 'DETECTION_POSTPROCESS',
};

/**
 * C++ for TensorFlow Lite and LiteRT: `RegisterSelectedOps`, the function that their tools and the native part of
 * their Java library look for. Kernels of custom operators have to be linked; their names follow TFLite's convention.
 */
export function registrationSource(operators: readonly UsedOperator[]): string {
  const builtins = ranges(operators.filter((op) => !op.custom));
  const customs = ranges(operators.filter((op) => op.custom));
  const kernels = customs.map(({ name }) => `TfLiteRegistration* Register_${customKernel(name)}();`);
  return lines(
    '// The operators of model.tflite beside this file, with their versions.',
    '//',
    '// C++:          tflite::MutableOpResolver resolver;',
    '//               RegisterSelectedOps(&resolver);',
    "// Java, Kotlin: compile this file into the native library together with TensorFlow Lite's",
    '//               create_op_resolver_with_selected_ops.cc, and load it before the first Interpreter:',
    '//               System.loadLibrary("tensorflowlite_jni")',
    '#include "tensorflow/lite/kernels/builtin_op_kernels.h"',
    '#include "tensorflow/lite/mutable_op_resolver.h"',
    '',
    ...block('namespace tflite::ops::custom {', kernels, '}  // namespace tflite::ops::custom'),
    'void RegisterSelectedOps(::tflite::MutableOpResolver* resolver) {',
    ...builtins.map(({ name, least, most }) =>
      call('AddBuiltin', `::tflite::BuiltinOperator_${name}`, `builtin::Register_${name}()`, least, most),
    ),
    ...customs.map(({ name, least, most }) =>
      call('AddCustom', JSON.stringify(name), `custom::Register_${customKernel(name)}()`, least, most),
    ),
    '}',
  );
}

/** Methods of TFLite Micro's resolver that do not follow from the operator's name. */
const MICRO_METHODS: Partial<Record<string, string>> = {
  BATCH_MATMUL: 'AddBatchMatMul',
  CUMSUM: 'AddCumSum',
  PADV2: 'AddPadV2',
  TFLite_Detection_PostProcess: 'AddDetectionPostprocess',
  UNIDIRECTIONAL_SEQUENCE_LSTM: 'AddUnidirectionalSequenceLSTM',
};

/**
 * C++ for TFLite Micro: a `MicroMutableOpResolver` of just the size. A model that TFLite Micro cannot run says so when
 * the header is compiled.
 */
export function microRegistrationSource(operators: readonly UsedOperator[]): string {
  const all = ranges(operators);
  const custom = new Set(operators.filter((op) => op.custom).map((op) => op.name));
  const missing = all.filter(({ name }) => !custom.has(name) && !MICRO_OPERATORS.has(name));
  const own = all.filter(({ name }) => custom.has(name) && !MICRO_METHODS[name]).map(({ name }) => name);
  const add = (name: string): string =>
    own.includes(name)
      ? `resolver.AddCustom(${JSON.stringify(name)}, Register_${customKernel(name)}())`
      : `resolver.${MICRO_METHODS[name] ?? `Add${camelCase(name)}`}()`;
  return lines(
    '// The operators of model.tflite beside this file, for TFLite Micro:',
    '//',
    '//   MicroOps resolver;',
    '//   if (RegisterMicroOps(resolver) != kTfLiteOk) return;',
    '#pragma once',
    '',
    ...(missing.length > 0
      ? [
          `#error "TFLite Micro has no ${missing.map((op) => op.name).join(', ')}: this model does not run on it"`,
        ]
      : []),
    '#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"',
    '',
    ...own.map((name) => `TFLMRegistration* Register_${customKernel(name)}();`),
    ...(own.length > 0 ? [''] : []),
    `using MicroOps = tflite::MicroMutableOpResolver<${Math.max(1, all.length)}>;`,
    '',
    'inline TfLiteStatus RegisterMicroOps(MicroOps& resolver) {',
    ...all.map(({ name }) => `  TF_LITE_ENSURE_STATUS(${add(name)});`),
    '  return kTfLiteOk;',
    '}',
  );
}

interface Range {
  name: string;
  /** Versions in use. */
  least: number;
  most: number;
}

/** Registries take a range of versions; the operators come sorted. */
function ranges(operators: readonly UsedOperator[]): Range[] {
  const all = new Map<string, Range>();
  for (const { name, version } of operators) {
    const range = all.get(name);
    if (range) range.most = version;
    else all.set(name, { name, least: version, most: version });
  }
  return [...all.values()];
}

function call(method: string, key: string, kernel: string, least: number, most: number): string {
  return `  resolver->${method}(${key}, ::tflite::ops::${kernel}, ${least}, ${most});`;
}

/** `ExtractFeatures` is registered by `Register_EXTRACT_FEATURES`. */
function customKernel(name: string): string {
  const words = name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').replace(/[^A-Za-z0-9_]/g, '_');
  return CUSTOM_KERNELS[name] ?? words.toUpperCase();
}

/** `AVERAGE_POOL_2D` is `AveragePool2D`. */
function camelCase(name: string): string {
  const word = (part: string): string => (/^\d/.test(part) ? part : part[0] + part.slice(1).toLowerCase());
  return name.split('_').map(word).join('');
}

function block(first: string, body: readonly string[], last: string): string[] {
  return body.length > 0 ? [first, ...body, last, ''] : [];
}

function lines(...all: string[]): string {
  return all.join('\n') + '\n';
}
