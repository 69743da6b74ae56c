/** The export stage: the converted (or quantised) model with the contract's names, order and metadata. */
import { join } from 'node:path';
import {
  Diagnostics,
  FloeError,
  type Contract,
  type StageContext,
  type StageFunction,
  type TensorSpec,
  readContract,
  sizeOf,
  MAX_TFLITE_BYTES,
  readFile,
} from '@floe/export-core';
import { detectionNames } from '../detection/detection';
import { shareConstants } from '../fuse/share-constants';
import { quantizeIo } from '../quantize/io';
import { readModel } from '../tflite/read';
import type { TfliteModel } from '../tflite/model';
import { microRegistrationSource, registrationSource, usedOperators } from '../tflite/registration';
import { checkSize, checkTarget } from '../tflite/target';
import { writeModel } from '../tflite/write';
import { sizeText } from './describe';

export const exportTflite: StageFunction = async (context) => {
  const { dist, descriptor } = context;
  const variant = context.variant as string;
  const quantized = descriptor.variants[variant].quantization !== 'none';
  const file = join(dist, quantized ? `${variant}/quantized.tflite` : 'converted/model.tflite');
  const model = readModel(readFile(file, MAX_TFLITE_BYTES), file);
  const diagnostics = new Diagnostics();
  const { io } = descriptor.variants[variant];
  // Before names are given: the tensors that bear them are others afterwards.
  if (io !== 'float32') quantizeIo(model, io === 'int8' ? 'INT8' : 'UINT8', diagnostics);
  shareConstants(model);
  applyContract(model, readContract(dist), context);
  diagnostics.addAll(checkTarget(model, descriptor.target.runtime));
  const pieces = writeModel(model);
  const operators = usedOperators(model);
  const tooLarge = checkSize(sizeOf(pieces), descriptor.target.runtime);
  if (tooLarge) diagnostics.add({ ...tooLarge, where: context.place(['target', 'runtime']) });
  diagnostics.throwIfErrors();
  return {
    diagnostics: diagnostics.list,
    artefacts: {
      [`${variant}/model.tflite`]: pieces,
      [`${variant}/ops.json`]: JSON.stringify({ operators }, null, 2) + '\n',
      [`${variant}/register_ops.cc`]: registrationSource(operators),
      [`${variant}/register_ops_micro.h`]: microRegistrationSource(operators),
    },
    summary: sizeText(pieces),
  };
};

/** Names inputs and outputs as the contract does. Their order is the converter's, which is the contract's. */
function applyContract(model: TfliteModel, contract: Contract, context: StageContext): void {
  const { inputs, outputs } = context.descriptor.tflite;
  const detection = detectionNames(context);
  for (const signature of model.signatures) {
    const declared = contract.signatures.find((s) => s.key === signature.key);
    const names = {
      inputs: inputs?.map((s) => s.name) ?? detection?.inputs ?? namesOf(declared?.inputs),
      outputs: outputs?.map((s) => s.name) ?? detection?.outputs ?? namesOf(declared?.outputs),
    };
    for (const list of ['inputs', 'outputs'] as const) {
      if (names[list].length !== signature[list].length) {
        throw new FloeError({
          code: 'K003',
          severity: 'error',
          message: `signature "${signature.key}" has ${signature[list].length} ${list}, the contract ${names[list].length}`,
          hint: 'run convert again',
        });
      }
      signature[list].forEach((entry, i) => (entry.name = names[list][i]));
    }
    const taken = new Set(signature.subgraph.tensors().map((t) => t.name));
    for (const { name, tensor } of [...signature.outputs, ...signature.inputs]) {
      if (tensor.name === name || taken.has(name)) continue;
      taken.delete(tensor.name);
      taken.add(name);
      tensor.name = name;
    }
  }
}

function namesOf(specs: readonly TensorSpec[] = []): string[] {
  return specs.map((s) => s.name);
}
