/** The export-saved-model stage: the frozen graph as a SavedModel, for TensorFlow, TF Serving and tfjs-node. */
import { join } from 'node:path';
import {
  formatSize,
  readContract,
  readGraphFile,
  writeSavedModel,
  type StageFunction,
} from '@floe/export-core';

export const exportSavedModel: StageFunction = async ({ dist }) => {
  const contract = readContract(dist);
  const { graph } = readGraphFile(join(dist, 'frozen/graph.pb'));
  const pieces = writeSavedModel(graph, contract);
  const bytes = pieces.reduce((n, piece) => n + piece.byteLength, 0);
  return {
    diagnostics: [],
    artefacts: { 'saved_model/saved_model.pb': pieces },
    provenance: { signatures: contract.signatures.map((s) => s.key) },
    summary: `signatures ${contract.signatures.map((s) => s.key).join(', ')}, ${formatSize(bytes)}`,
  };
};
