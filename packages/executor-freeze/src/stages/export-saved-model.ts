/** The export-saved-model stage: the frozen graph as a SavedModel, for TensorFlow, TF Serving and tfjs-node. */
import { formatSize, readFrozen, sizeOf, writeSavedModel, type StageFunction } from '@floe/export-core';

export const exportSavedModel: StageFunction = async ({ dist }) => {
  const { graph, contract } = readFrozen(dist);
  const artefacts = writeSavedModel('saved_model', graph, contract);
  const bytes = sizeOf(Object.values(artefacts).flat());
  return {
    diagnostics: [],
    artefacts,
    provenance: { signatures: contract.signatures.map((s) => s.key) },
    summary: `signatures ${contract.signatures.map((s) => s.key).join(', ')}, ${formatSize(bytes)}`,
  };
};
