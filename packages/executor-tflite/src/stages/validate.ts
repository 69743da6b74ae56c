/**
 * The validate stage: finds what is wrong with graph, contract and target before anything is converted, all of it at
 * once, and writes it down for people's tools: `report.json`, and SARIF for pull requests.
 */
import {
  Diagnostics,
  diagnosticToJson,
  diagnosticsToSarif,
  FloeError,
  type StageFunction,
} from '@floe/export-core';
import { lowerModel } from '../convert/convert-graph';
import { loadFrozen } from '../convert/load-frozen';
import { checkTarget } from '../tflite/target';
import { checkContract } from '../convert/check-contract';

export const validate: StageFunction = async (context) => {
  const diagnostics = new Diagnostics();
  try {
    const { graph, contract } = loadFrozen(context, diagnostics);
    checkContract(graph, contract, diagnostics);
    const model = lowerModel(graph, contract.signatures, diagnostics);
    if (!diagnostics.hasErrors) diagnostics.addAll(checkTarget(model, context.descriptor.target.runtime));
  } catch (error) {
    if (!(error instanceof FloeError)) throw error;
    diagnostics.addAll(error.diagnostics);
  }
  const { list } = diagnostics;
  const report = { diagnostics: list.map(diagnosticToJson) };
  const problems = list.filter((d) => d.severity !== 'note').length;
  return {
    diagnostics: list,
    artefacts: {
      'validation/report.json': JSON.stringify(report, null, 2) + '\n',
      'validation/report.sarif': JSON.stringify(diagnosticsToSarif(list), null, 2) + '\n',
    },
    summary: problems ? `${problems} problem${problems > 1 ? 's' : ''}` : 'no problems',
  };
};
