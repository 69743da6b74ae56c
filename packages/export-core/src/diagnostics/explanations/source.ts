/** What the codes of source files (S) mean. */
import type { Explanation } from '../explanations';

export const SOURCE = {
  S001: {
    cause: 'A file that `model.yaml` names is not there. The message names the nearest one that is.',
    example: 'source: { checkpoint: ckpt/model.ckpt-100 }, and the folder has model.ckpt-1000',
    cure: 'Name the file that is there; paths are relative to model.yaml.',
  },
  S002: {
    cause: 'The system refused to read or write the file; its reason stands in the message.',
    example: 'A folder without permission, a full disk.',
    cure: 'Mend what the system names.',
  },
  S003: {
    cause:
      'The file holds something else than its place needs, such as weights where a graph is wanted. What a file is, is told by its content, not by its name.',
    example: 'source: { frozenGraph: model.h5 }',
    cure: 'keras.models.load_model("model.h5").export("saved_model"), then source: { savedModel: saved_model }',
  },
  S004: {
    cause:
      'The file breaks its format: truncated, overwritten, half copied. The message has the byte offset.',
    example: 'A download that was interrupted.',
    cure: 'Fetch the file again.',
  },
  S005: {
    cause:
      'The bytes of a tensor or block do not have the checksum that was stored with them. The message names tensor and file.',
    example: 'A checkpoint on a failing disk.',
    cure: 'Fetch the file again, or take an earlier checkpoint.',
  },
  S006: {
    cause:
      'A path inside an artefact (a state file, a shard name, an asset) points out of the artefact’s folder, or an output would lie outside `dist/`.',
    example: 'model_checkpoint_path: "../../other/model.ckpt-10"',
    cure: 'Name the checkpoint itself: source: { checkpoint: ../other/model.ckpt-10 }',
  },
  S007: {
    cause: 'The source is whole but of a kind that is not read, such as a big-endian checkpoint.',
    example: 'A checkpoint that was written on s390x.',
    cure: 'Save it again as the message says.',
  },
  S008: {
    cause:
      'The graph has variables that the source has no values for. A graph that was given as frozen is not; or the checkpoint belongs to another graph, or names them otherwise.',
    example: 'source: { frozenGraph: train.pb }, a graph that was saved without freezing',
    cure: 'source: { checkpoint: model.ckpt-1000, graph: train.pb }; for other names freeze: { rename: { variable: entry } }',
  },
  S009: {
    cause: 'Graph and checkpoint disagree on a variable’s type or shape: they are not of one training run.',
    example: 'A graph for 10 classes with a checkpoint for 1001.',
    cure: 'Take the graph that was written with the checkpoint.',
  },
  S010: {
    cause: 'The file announces more than any real model needs: it is damaged, or made to do harm.',
    example: 'A tensor of 2^60 elements in a file of 1 kB.',
    cure: 'Fetch the file again. The limits are in `packages/export-core/src/bytes/limits.ts`.',
  },
  S011: {
    cause:
      'A note: variables of the checkpoint that belong to nothing in the graph, or variables that are frozen as trained although moving averages were asked for.',
    example: 'An optimizer’s slots in a checkpoint of a training run.',
    cure: 'Nothing, where these are what you expect; else check that graph and checkpoint belong together.',
  },
  S012: {
    cause: 'The SavedModel has graphs for other tags; the message lists them.',
    example: 'source: { savedModel: hub_module }, whose graphs are tagged [] and [train]',
    cure: 'source: { savedModel: hub_module, tags: [train] }',
  },
} satisfies Record<string, Explanation>;
