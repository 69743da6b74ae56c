/**
 * The validate stage: finds what is wrong with graph, contract and target before anything is converted, all of it at
 * once, and writes it down for people's tools: `report.json`, and SARIF for pull requests.
 */
import {
  checkContract,
  checkEnvironment,
  checkGraph,
  checkPreprocessing,
  checkTraining,
  checkWeights,
  Diagnostics,
  FloeError,
  located,
  neededByContract,
  specPlaces,
  withPaths,
  type StageContext,
  type StageFunction,
} from '@floe/export-core';
import { loadFrozen } from '../convert/load-frozen';
import { checkConversion } from '../validate/conversion';
import { reports } from '../validate/report';

export const validate: StageFunction = async (context) => {
  const diagnostics = new Diagnostics();
  try {
    checkEverything({ ...context, place: withPaths(context.place) }, diagnostics);
  } catch (error) {
    if (!(error instanceof FloeError)) throw error;
    diagnostics.addAll(error.diagnostics);
  }
  const list = located(diagnostics.list, context.descriptor, withPaths(context.place));
  const { json, sarif } = reports(list, context.root);
  const problems = list.filter((d) => d.severity !== 'note').length;
  return {
    diagnostics: list,
    artefacts: { 'validation/report.json': json, 'validation/report.sarif': sarif },
    summary: problems ? `${problems} problem${problems > 1 ? 's' : ''}` : 'no problems',
  };
};

function checkEverything(context: StageContext, diagnostics: Diagnostics): void {
  const { descriptor, place } = context;
  const { tensorflow } = descriptor.target;
  const frozen = loadFrozen(context, diagnostics);
  const { graph, contract } = frozen;
  const at = specPlaces(descriptor, place);
  const structure = new Diagnostics();
  checkGraph(graph, structure, neededByContract(graph, contract));
  diagnostics.addAll(structure.list);
  checkContract(graph, contract, at, diagnostics);
  checkTraining(graph, contract, at, diagnostics);
  checkEnvironment(
    graph,
    tensorflow,
    tensorflow === undefined ? undefined : place(['target', 'tensorflow']),
    diagnostics,
  );
  checkWeights(graph, diagnostics);
  checkPreprocessing(graph, contract, at, diagnostics);
  // The converter takes a graph for granted that is one.
  // What cannot be lowered of training follows from an output that needs it.
  if (structure.hasErrors || diagnostics.list.some((d) => d.code === 'G016')) return;
  checkConversion(frozen, context, diagnostics);
}
