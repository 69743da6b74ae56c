/**
 * G023: what the graph does with an image before its first weights, so that the app feeds it what is still missing
 * and does nothing twice. Notes only: nothing is wrong with either.
 */
import type { Contract, TensorSpec } from '../contract/contract';
import type { Diagnostics } from '../diagnostics/diagnostic';
import type { Graph, Node } from '../graph/graph';
import type { Tensor } from '../tensor/tensor';
import { nodeOf } from './needed';
import type { SpecPlace } from './places';

const RESIZE =
  /^(ResizeBilinear|ResizeNearestNeighbor|ResizeBicubic|ResizeArea|CropAndResize|ScaleAndTranslate)$/;
const DECODE = /^Decode(Jpeg|Png|Image|Bmp|Gif|AndCropJpeg|Raw|PaddedRaw)$/;
/** Ops that hand an image on without computing anything from it. */
const THROUGH =
  /^(Identity|Placeholder\w*|Reshape|ExpandDims|Squeeze|Pad(V2)?|MirrorPad|StopGradient|Slice|StridedSlice|Pack|Split)$/;
/** How many steps from an input are looked at: preprocessing stands before the first weights. */
const MAX_STEPS = 40;
const MAX_LISTED = 4;

/** Says of each image input what comes first in the graph. */
export function checkPreprocessing(
  graph: Graph,
  contract: Contract,
  place: SpecPlace,
  diagnostics: Diagnostics,
): void {
  const consumers = graph.consumers();
  for (const { key, inputs } of contract.signatures) {
    for (const spec of inputs) {
      const node = nodeOf(graph, spec.tensor);
      if (!node || !(isImage(spec) || spec.dtype === 'string')) continue;
      const steps = stepsFrom(node, consumers);
      const told = describe(spec, steps);
      if (!told) continue;
      diagnostics.note('G023', `input "${spec.name}": ${told.message}`, {
        hint: told.hint,
        where: place(key, 'inputs', spec.name),
        node: node.name,
      });
    }
  }
}

/** Four dimensions, one to four channels. */
function isImage({ dtype, shape }: TensorSpec): boolean {
  if (shape?.length !== 4 || !(dtype === 'uint8' || dtype === 'float32' || dtype === 'float16')) return false;
  const [, height, width, channels] = shape;
  const wide = (d: number | null) => d === null || d >= 8;
  return (channels === 1 || channels === 3 || channels === 4) && wide(height) && wide(width);
}

/** What is done to the input, in order, up to the first op that mixes pixels with weights. */
function stepsFrom(start: Node, consumers: ReadonlyMap<Node, Node[]>): string[] {
  const steps: string[] = [];
  let node = start;
  for (let i = 0; i < MAX_STEPS; i++) {
    const users = (consumers.get(node) ?? []).filter((n) => n.op !== 'Shape' && n.op !== 'ShapeN');
    if (users.length !== 1) break;
    const [user] = users;
    const step = stepOf(user, node);
    if (step === undefined) break;
    if (step) steps.push(step);
    node = user;
  }
  return steps;
}

/** A step in words; '' for one that does not matter, undefined where the model itself begins. */
function stepOf(node: Node, from: Node): string | undefined {
  const other = node.inputs.find((v) => v.node !== from)?.constant;
  if (DECODE.test(node.op)) return 'decodes it';
  if (RESIZE.test(node.op)) {
    const size = other?.dtype === 'int32' && other.size === 2 ? ` to ${other.toNumbers().join('×')}` : '';
    return `resizes it${size}`;
  }
  if (node.op === 'Cast') return `casts to ${node.type('DstT')}`;
  if (node.op === 'ReverseV2') return 'reverses its channels (RGB ↔ BGR)';
  if (THROUGH.test(node.op)) return '';
  const few = other && other.size <= 4 && isNumber(other) ? numbers(other) : undefined;
  // x · 1 and x + 0: layers that were given nothing to do.
  if (few === (/^(Mul|Div|RealDiv)$/.test(node.op) ? '1' : '0')) return '';
  const first = node.inputs[0]?.node === from;
  switch (few === undefined ? '' : node.op) {
    case 'Sub':
      return first ? `subtracts ${few}` : undefined;
    case 'Mul':
      return `multiplies by ${few}`;
    case 'Div':
    case 'RealDiv':
      return first ? `divides by ${few}` : undefined;
    case 'Add':
    case 'AddV2':
    case 'BiasAdd':
      return few?.startsWith('-') ? `subtracts ${few.slice(1)}` : `adds ${few}`;
    default:
      return undefined;
  }
}

function isNumber({ dtype }: Tensor): boolean {
  return dtype === 'float32' || dtype === 'float16' || dtype === 'int32' || dtype === 'uint8';
}

function numbers(tensor: Tensor): string {
  const list = tensor.toNumbers().map((n) => String(Number(n.toPrecision(5))));
  return list.length === 1 ? list[0] : `[${list.join(', ')}]`;
}

function describe(spec: TensorSpec, steps: readonly string[]): { message: string; hint: string } | undefined {
  const done = steps.slice(0, MAX_LISTED).join(', then ');
  if (spec.dtype === 'string') {
    if (!steps.some((step) => step.startsWith('decodes'))) return undefined;
    return { message: `the graph ${done}`, hint: 'the app feeds the bytes of an image file' };
  }
  const scales = steps.some((step) => /^(subtracts|multiplies|divides|adds)/.test(step));
  if (spec.dtype === 'uint8') {
    return {
      message: `the graph takes pixels as bytes${done ? ` and ${done}` : ''}`,
      hint: 'the app feeds pixels from 0 to 255 as they are, without scaling',
    };
  }
  if (steps.every((step) => step.startsWith('casts'))) return undefined;
  return {
    message: `the graph ${done} before the first layer`,
    hint: scales
      ? 'the app feeds what comes before these steps (usually pixels from 0 to 255) and must not scale again'
      : 'the app feeds what the model was trained on: scaling is not in the graph',
  };
}
