/**
 * model.yaml, version 1: the one definition that the loader, the types and the published JSON Schema share.
 *
 * Only shapes and values live here. Rules between keys (one source kind, unique names, ...) are in check.ts, so
 * that they are reported beside, not after, what is wrong with single values. This module loads zod: it is
 * required by load.ts on first use, never at start.
 */
import { z } from 'zod';
import { DTYPES, type DType } from '../tensor/dtype';
import { PATH, PROJECT_NAME, QUANTIZATIONS, VARIANT_NAME } from './names';

/** An empty value (`freeze:`) reads as an empty map; editors are told so too. */
const EMPTY_ALLOWED = { type: ['object', 'null'] } as unknown as { type: 'object' };

const path = (description: string) => z.string().regex(PATH).describe(description);
const quantization = z.enum(QUANTIZATIONS);

const dtype = z
  .enum(DTYPES as [DType, ...DType[]])
  .describe('Element type. Left out: the type the graph has.');

const shape = z
  .array(z.int().min(0).nullable())
  .describe('Sizes, `null` where any size is allowed; left out: any rank, or what the graph knows.');

const tensor = z
  .string()
  .min(1)
  .describe('Tensor of the graph: `scope/node:0`; `:0` may be left out. With a SavedModel: the signature’s.');

const outputSchema = z.strictObject({
  name: z.string().min(1).describe('Name in the contract, in data files and in the .tflite.'),
  tensor: tensor.optional(),
  dtype: dtype.optional(),
  shape: shape.optional(),
});

const inputSchema = outputSchema.extend({
  range: z
    .tuple([z.number(), z.number()])
    .describe('Smallest and largest value fed: bounds of random samples, and a check on calibration data.')
    .optional(),
});

const inputs = z.array(inputSchema).describe('Inputs of the contract, in order.');
const outputs = z.array(outputSchema).describe('Outputs of the contract, in order.');

const sourceSchema = z
  .strictObject({
    checkpoint: path(
      'TF1 checkpoint: prefix, file, or folder with a `checkpoint` state file. Beside `savedModel`: a tf.train.Checkpoint with the weights.',
    ).optional(),
    graph: path('Graph of the checkpoint: .meta, .pb or .pbtxt. Default: <checkpoint>.meta.').optional(),
    savedModel: path('SavedModel folder, TF1 or TF2.').optional(),
    tags: z
      .array(z.string().min(1))
      .min(1)
      .describe('Tags of the SavedModel’s graph. Default: [serve].')
      .optional(),
    signature: z
      .string()
      .min(1)
      .describe('Signature of the SavedModel. Default: serving_default.')
      .optional(),
    signatures: z
      .array(z.string().min(1))
      .min(1)
      .describe('Several signatures of the SavedModel.')
      .optional(),
    frozenGraph: path('Frozen GraphDef: .pb or .pbtxt.').optional(),
  })
  .describe('Where the model comes from: exactly one of checkpoint, savedModel, frozenGraph.')
  .meta({
    anyOf: [{ required: ['checkpoint'] }, { required: ['savedModel'] }, { required: ['frozenGraph'] }],
  });

const signatureSchema = z.strictObject({ inputs: inputs.optional(), outputs: outputs.optional() });

const freezeSchema = z
  .strictObject({
    variables: z
      .enum(['raw', 'ema'])
      .default('raw')
      .describe('Values to freeze: as trained (raw) or their exponential moving averages (ema).'),
    include: z
      .array(z.string().min(1))
      .describe('Checkpoint names to use: patterns with * and ?.')
      .optional(),
    exclude: z.array(z.string().min(1)).describe('Checkpoint names to leave out: patterns.').optional(),
    rename: z
      .record(z.string().min(1), z.string().min(1))
      .describe('Variable of the graph: its name in the checkpoint.')
      .optional(),
  })
  .describe('How variables become constants.')
  .meta(EMPTY_ALLOWED);

const tfliteSchema = z
  .strictObject({ inputs: inputs.optional(), outputs: outputs.optional() })
  .describe('Inputs and outputs that replace the contract from `convert` on.')
  .meta(EMPTY_ALLOWED);

const targetSchema = z
  .strictObject({
    runtime: z
      .string()
      .regex(/^(?:\d+\.\d+(?:\.\d+)?|tflm)$/)
      .describe('Oldest TFLite runtime that must run the model, as "2.14", or tflm. Default: the newest.')
      .optional(),
    tensorflow: z
      .string()
      .regex(/^\d+\.\d+(?:\.\d+)?$/)
      .describe('Oldest TensorFlow that must load the frozen graph, as "1.15".')
      .optional(),
  })
  .describe('What the artefacts must run on.')
  .meta(EMPTY_ALLOWED);

const ofChannels = (what: string) =>
  z.union([z.number(), z.array(z.number()).min(1).max(4)]).describe(`${what}: one number, or one a channel.`);

const imagesSchema = z
  .strictObject({
    input: z
      .string()
      .min(1)
      .describe('Input that takes the images. Default: the only one of that shape.')
      .optional(),
    size: z
      .tuple([z.int().min(1), z.int().min(1)])
      .describe('Height and width, where the input’s shape leaves them open.')
      .optional(),
    fit: z
      .enum(['stretch', 'crop', 'pad'])
      .default('stretch')
      .describe('Images of another aspect: distorted, their middle, or whole with black bars.'),
    resize: z
      .enum(['bilinear', 'nearest', 'area'])
      .default('bilinear')
      .describe('Method, as in tf.image.resize.'),
    channels: z.enum(['rgb', 'bgr']).default('rgb').describe('Order of the channels.'),
    mean: ofChannels('Subtracted from the bytes (0 to 255)').default(0),
    std: ofChannels('What is left is divided by it').default(1),
  })
  .describe('How a folder of .png and .jpg files becomes samples: (byte − mean) / std.');

const SAMPLES =
  'Samples: .npz whose keys are input names, first axis counts samples; a folder of such arrays as .npy, or of images';

const calibrationSchema = z
  .strictObject({
    data: path(`${SAMPLES}. Default: random in \`range\`.`).optional(),
    images: imagesSchema.optional(),
    samples: z.int().min(1).describe('Samples to use. Default: all.').optional(),
    method: z
      .enum(['minmax', 'moving-average', 'percentile', 'mse'])
      .default('minmax')
      .describe('How ranges are taken from the observed values.'),
  })
  .describe('How activation ranges are measured.');

const ruleSchema = z.strictObject({
  match: z.string().min(1).describe('Nodes: a pattern with * over their names, as head/*.'),
  quantization: quantization.describe('What these nodes get instead.'),
});

const variantSchema = z
  .strictObject({
    quantization: quantization.default('none').describe('Numbers of the variant.'),
    calibration: calibrationSchema.optional(),
    io: z
      .enum(['float32', 'int8', 'uint8'])
      .default('float32')
      .describe('Type of the model’s float inputs and outputs in this variant.'),
    onUnsupported: z
      .enum(['float', 'error'])
      .default('float')
      .describe('What happens to an op that cannot be quantised.'),
    biasCorrection: z
      .boolean()
      .default(true)
      .describe('Whether biases take up the mean error of rounded weights, where ranges are measured.'),
    rules: z.array(ruleSchema).describe('Exceptions by node name; the first that matches counts.').optional(),
  })
  .meta(EMPTY_ALLOWED);

const verifySchema = z
  .strictObject({
    data: path(`${SAMPLES}. Default: random in \`range\`.`).optional(),
    images: imagesSchema.optional(),
    tolerance: z.number().positive().default(1e-4).describe('Largest relative difference allowed.'),
    required: z.boolean().default(false).describe('What cannot be verified is an error.'),
    minSqnr: z.number().describe('Smallest signal to noise ratio in dB of quantised variants.').optional(),
  })
  .describe('How the .tflite is compared with the frozen graph.')
  .meta(EMPTY_ALLOWED);

const scale = (of: string) => z.number().positive().describe(`Scale of ${of}.`);

const detectionSchema = z
  .strictObject({
    input: z
      .strictObject({
        size: z
          .tuple([z.int().min(1), z.int().min(1)])
          .describe('Height and width.')
          .optional(),
        normalized: z.boolean().describe('The input is the tensor after the preprocessor.').optional(),
      })
      .describe('Image input of the phone’s model.')
      .optional(),
    boxEncodings: z.string().min(1).describe('Tensor of box encodings.').optional(),
    classPredictions: z.string().min(1).describe('Tensor of class predictions.').optional(),
    anchors: z.string().min(1).describe('Tensor of anchors, or a .npy file.').optional(),
    pipelineConfig: path('The pipeline.config the model was trained with.').optional(),
    scoreConverter: z
      .enum(['sigmoid', 'softmax', 'none'])
      .describe('How class predictions become scores.')
      .optional(),
    scales: z
      .strictObject({ y: scale('y'), x: scale('x'), h: scale('height'), w: scale('width') })
      .describe('Scales of the box coder.')
      .optional(),
    maxDetections: z.int().min(1).describe('Boxes of the result.').optional(),
    maxClassesPerDetection: z.int().min(1).describe('Classes of each box (fast suppression).').optional(),
    detectionsPerClass: z.int().min(1).describe('Boxes of each class (regular suppression).').optional(),
    nms: z
      .strictObject({
        type: z.enum(['fast', 'regular']).describe('Over all classes at once, or class by class.').optional(),
        scoreThreshold: z.number().describe('Boxes with a lower score are dropped.').optional(),
        iouThreshold: z.number().min(0).max(1).describe('Boxes that overlap more are dropped.').optional(),
      })
      .describe('Non-maximum suppression.')
      .optional(),
    postprocess: z
      .enum(['custom', 'builtin'])
      .default('custom')
      .describe('TFLite_Detection_PostProcess (custom) or builtin operators.'),
  })
  .describe('SSD models: post-processing for the phone. What is left out is found in the graph.')
  .meta(EMPTY_ALLOWED);

export const descriptorSchema = z
  .strictObject({
    version: z.literal(1).describe('Version of this format.'),
    name: z
      .string()
      .regex(PROJECT_NAME)
      .describe('Name of the Nx project. Default: the folder’s.')
      .optional(),
    source: sourceSchema,
    inputs: inputs.optional(),
    outputs: z
      .union([z.literal('auto'), outputs])
      .describe('Outputs of the contract, in order; `auto`: those that the graph suggests.')
      .optional(),
    signatures: z
      .record(z.string().min(1), signatureSchema)
      .describe('Several signatures, instead of inputs and outputs: name: { inputs, outputs }.')
      .optional(),
    freeze: freezeSchema.prefault({}),
    tflite: tfliteSchema.prefault({}),
    target: targetSchema.prefault({}),
    allowCustomOps: z
      .array(z.string().min(1))
      .default([])
      .describe('Custom operators that the target runtime has.'),
    variants: z
      .record(z.string().regex(VARIANT_NAME), variantSchema)
      .prefault({ float: {} })
      .describe('The .tflite files to make, by name.'),
    verify: verifySchema.prefault({}),
    detection: detectionSchema.optional(),
  })
  .describe('A TensorFlow model, as Floe exports it.');

/** model.yaml as a user writes it. */
export type DescriptorInput = z.input<typeof descriptorSchema>;
/** model.yaml with every default filled in; `name` is the folder's where none was given. */
export type Descriptor = z.output<typeof descriptorSchema> & { name: string };
export type ContractInput = z.output<typeof inputSchema>;
export type ContractOutput = z.output<typeof outputSchema>;
export type Source = Descriptor['source'];
export type Variant = Descriptor['variants'][string];
export type Quantization = (typeof QUANTIZATIONS)[number];
export type ImageSettings = z.output<typeof imagesSchema>;
export type DetectionKeys = NonNullable<Descriptor['detection']>;

/** The JSON Schema that editors use for completion and checks. */
export function descriptorJsonSchema(): Record<string, unknown> {
  const { '~standard': _, ...schema } = z.toJSONSchema(descriptorSchema, { io: 'input', target: 'draft-07' });
  return { ...schema, title: 'Floe model.yaml' };
}
