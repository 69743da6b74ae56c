/** What the codes of model.yaml (D), of quantisation (Q), verification (V) and caching (K) mean. */
import type { Explanation } from '../explanations';

export const MODEL_YAML = {
  D001: {
    cause:
      'The file breaks YAML’s own rules: a tab, a missing bracket, too many aliases. The place is where the parser stopped.',
    example: 'source: { checkpoint: ckpt/model.ckpt-10',
    cure: 'Close what is open and indent with spaces.',
  },
  D002: {
    cause:
      'A key that no version of `model.yaml` has at that place. The message names the nearest right key.',
    example: 'source: { chekpoint: ckpt/model.ckpt-10 }',
    cure: 'source: { checkpoint: ckpt/model.ckpt-10 }',
  },
  D003: {
    cause: 'A value of another type than the key takes, or outside its choices.',
    example: 'inputs: [{ name: image, tensor: "input:0", shape: 224 }]',
    cure: 'inputs: [{ name: image, tensor: "input:0", shape: [1, 224, 224, 3] }]',
  },
  D004: {
    cause: 'A key that must be there, such as `source`, or `outputs` of a source without signatures.',
    example: 'version: 1\ninputs: []',
    cure: 'Write the key that the message names; `floe inspect` lists likely inputs and outputs.',
  },
  D005: {
    cause: 'Two keys that exclude each other, such as two kinds of source, or two entries of one name.',
    example: 'source: { checkpoint: ckpt/model.ckpt-10, frozenGraph: graph.pb }',
    cure: 'Keep the one that the model comes from.',
  },
  D007: {
    cause: '`model.yaml` is missing, a folder, unreadable or too large.',
    example: 'floe export models/resnet, where there is no model.yaml',
    cure: 'nx g floe:model resnet --path models/resnet',
  },
  D008: {
    cause:
      'The pipeline.config says something else than the graph: classes, image size, scales, thresholds. One of the two is of another training.',
    example: 'detection: { pipelineConfig: samples/ssd_mobilenet_v1_coco.config }',
    cure: 'Name the pipeline.config that lies beside the exported model.',
  },

  Q001: {
    cause:
      'The calibration samples do not fit the model, are not numbers, are outside the declared range, or there are none.',
    example: 'calibration: { data: calibration.npz }, with an array `x` where the input is called `image`',
    cure: 'Save one array for each input under its name, samples along the first axis: np.savez("calibration.npz", image=samples). Or name a folder of images and say how the app scales them: calibration: { data: photos, images: { mean: 127.5, std: 127.5 } }',
  },
  Q002: {
    cause: 'Ranges were measured on another converted model than the one to be quantised.',
    example: 'A ranges.json that was copied from another project.',
    cure: 'Run calibrate again.',
  },
  Q003: {
    cause:
      'An operator has no quantised kernel, or none for these types: it stays in float (a note), or is an error under `onUnsupported: error`.',
    example: 'variants: { int8: { quantization: int8, onUnsupported: error } }',
    cure: 'variants: { int8: { quantization: int8, rules: [{ match: "head/*", quantization: none }] } }',
  },
  Q004: {
    cause:
      'The values that were measured are odd: constant, saturated, or not numbers. Quantised, such a tensor loses most of its information.',
    example: 'Calibration images from 0 to 255 for a model that was trained on -1 to 1.',
    cure: 'Calibrate with samples that are scaled as the app scales them.',
  },
  Q005: {
    cause: 'A rule of a variant matches no operator.',
    example: 'rules: [{ match: head, quantization: none }]',
    cure: 'rules: [{ match: "head/*", quantization: none }]',
  },
  Q006: {
    cause:
      'A note: the model brings ranges that it learned in training (fake quantisation). They are used; calibration only measures what has none.',
    example: 'A graph of tf.contrib.quantize in an int8 variant.',
    cure: 'Nothing. To have all ranges measured, freeze the model without fake quantisation.',
  },

  V001: {
    cause:
      'The `.tflite` and the frozen graph give different numbers on the same samples, beyond the tolerance.',
    example: 'probabilities differs: 0.013 at [0, 281]',
    cure: 'For a quantised variant calibrate with better samples, or allow more: verify: { tolerance: 1.0e-2 }. For a float one please report it.',
  },
  V002: {
    cause:
      'No engine could run both sides; the reason is named. `verify: { required: true }` makes it an error.',
    example: 'A model with a custom operator.',
    cure: 'Install @tensorflow/tfjs-node for TensorFlow’s own kernels, or verify on the device.',
  },
  V003: {
    cause: 'The samples do not fit the contract: names, shapes or types.',
    example: 'verify: { data: samples.npz }, with an array `x` where the input is called `image`',
    cure: 'np.savez("samples.npz", image=samples)',
  },

  K001: {
    cause:
      'A target was run without its key, so its result could be stored under a wrong one. The `floe` plugin’s hook gives keys.',
    example: 'nx.json without the plugin, or with NX_ISOLATE_PLUGINS settings that drop its hook.',
    cure: 'nx.json: "plugins": ["floe"]',
  },
  K002: {
    cause: 'A source changed between the making of its key and the end of the stage. Nothing was published.',
    example: 'A training run that still writes checkpoints.',
    cure: 'Run it again when the files are at rest.',
  },
  K003: {
    cause: 'An artefact of an earlier stage is missing or not what was written.',
    example: 'dist/frozen/graph.pb was edited by hand, or cut short in a cache.',
    cure: 'Nothing, where the message is a warning: it was made again. Else make the source of the model available, or run the stage that the message names. `nx reset` empties a cache that holds the damaged file; a remote one has to drop the entry.',
  },
  K004: {
    cause: 'The source is not on this machine, and no cache has what was made of it.',
    example:
      'A clone without its Git LFS files; a checkpoint that git ignores, known from model.lock.json alone.',
    cure: 'git lfs pull; or fetch the files that the message names; or connect the remote cache of a machine that has them.',
  },
  K005: {
    cause: 'An artefact cannot be written. Nothing was published.',
    example: 'A full disk, a folder without permission to write.',
    cure: 'Make room or give permission, and run it again.',
  },
  K006: {
    cause:
      'A source has other bytes than model.lock.json says, where the lock is binding (CI, --frozen-lock).',
    example: 'A checkpoint was replaced on the build machine, or the lock of the new one was not committed.',
    cure: 'Run it once without CI and --frozen-lock, which rewrites model.lock.json, and commit that; or restore the file.',
  },
  K007: {
    cause:
      'While a command ran, a model was edited and another command started: Nx may have hashed the target for the other one, so what this one makes must not be stored.',
    example:
      'nx run resnet:verify in one terminal, and an edit and nx run resnet:export-tflite in another before it ended',
    cure: 'Run it again.',
  },
} satisfies Record<string, Explanation>;
