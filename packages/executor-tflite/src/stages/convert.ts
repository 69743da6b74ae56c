/** The convert stage: frozen graph and contract in, `converted/model.tflite` (float, TensorFlow's names) out. */
import { Diagnostics, type StageFunction } from '@floe/export-core';
import { convertGraph } from '../convert/convert-graph';
import { loadFrozen } from '../convert/load-frozen';
import { writeModel } from '../tflite/write';
import { operatorCounts, sizeText } from './describe';

export const convert: StageFunction = async (context) => {
  const diagnostics = new Diagnostics();
  const { graph, contract, customOps, detection } = loadFrozen(context, diagnostics);
  for (const line of detection?.found ?? []) context.log(line);
  const model = convertGraph(graph, contract, diagnostics, customOps);
  diagnostics.throwIfErrors();
  const pieces = writeModel(model);
  const operators = operatorCounts(model);
  const count = Object.values(operators).reduce((a, b) => a + b, 0);
  return {
    diagnostics: diagnostics.list,
    artefacts: { 'converted/model.tflite': pieces },
    provenance: { operators },
    summary: `${count} operators, ${sizeText(pieces)}`,
  };
};
