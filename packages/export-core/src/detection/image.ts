/** Where the preprocessor ends and the network begins. */
import type { Graph, Node, Value } from '../graph/graph';
import { follow, inScope, numbersOf, source } from './patterns';

export interface Image {
  value: Value;
  size?: [height: number, width: number];
  channels?: number;
  normalization?: Node[];
}

const SCOPE = 'Preprocessor';
const CONVOLUTION = /^(Conv2D|DepthwiseConv2dNative|_FusedConv2D|Conv2DBackpropInput)$/;
/** What may stand between the image and the first convolution. */
const BEFORE_CONVOLUTION = /^(Pad|PadV2|MirrorPad|Identity|FakeQuant\w*)$/;
const ARITHMETIC = /^(Mul|Add|AddV2|Sub|RealDiv|Div)$/;
const RESIZE = /^Resize(Bilinear|NearestNeighbor|Bicubic|Area)$/;
/** Ops of a preprocessor that leave an image's numbers as they are, or only resize it; control flow of its loop. */
const HARMLESS =
  /^(Const|Placeholder\w*|Identity|Cast|Shape|StridedSlice|Slice|Pack|Range|ExpandDims|Squeeze|Reshape|Resize\w+|TensorArray\w+|TensorList\w+|Enter|Exit|Merge|Switch|LoopCond|NextIteration|LogicalAnd|Less|LoopInvariant|Assert|Fill|Minimum|Maximum)$/;

/** The image tensor that the network reads, which all of the given node's inputs come from. */
export function findImage(graph: Graph, encodings: Node): Image | undefined {
  const needed = graph.ancestors([encodings]);
  const value = atScopeEnd(graph, needed) ?? beforeConvolutions(graph, needed);
  if (!value) return undefined;
  const before = graph.ancestors([value.node]);
  const shape = value.shape ?? elementShape(value.node);
  const image = shape?.length === 4 ? shape.slice(1) : shape?.length === 3 ? shape : undefined;
  const [height, width] = image ?? [];
  return {
    value,
    size: height && width ? [height, width] : resizedTo(before),
    channels: image?.[2] ?? undefined,
    normalization: normalizationOf(graph, before),
  };
}

/** The one image that leaves the preprocessor's scope. */
function atScopeEnd(graph: Graph, needed: ReadonlySet<Node>): Value | undefined {
  const leaving = new Set<Value>();
  for (const node of graph.nodes.values()) {
    if (!needed.has(node) || inScope(node, SCOPE)) continue;
    for (const value of node.inputs) {
      if (inScope(value.node, SCOPE) && isImage(value)) leaving.add(value);
    }
  }
  return leaving.size === 1 ? [...leaving][0] : undefined;
}

function isImage({ node, dtype, shape }: Value): boolean {
  if (dtype !== undefined && dtype !== 'float32') return false;
  const known = shape ?? elementShape(node);
  return known ? known.length >= 3 : node.op !== 'Shape';
}

/** What the first convolutions read, where it is one value. */
function beforeConvolutions(graph: Graph, needed: ReadonlySet<Node>): Value | undefined {
  const behind = new Set<Node>();
  const images = new Set<Value>();
  for (const node of graph.sorted()) {
    if (!needed.has(node)) continue;
    if (node.inputs.some((v) => behind.has(v.node))) {
      behind.add(node);
    } else if (CONVOLUTION.test(node.op)) {
      behind.add(node);
      images.add(follow(node.inputs[0], BEFORE_CONVOLUTION));
    }
  }
  return images.size === 1 ? [...images][0] : undefined;
}

/** The shape that a stack of images announces for each of them. */
function elementShape(node: Node): (number | null)[] | undefined {
  const shape = node.attrs.get('element_shape');
  return shape?.kind === 'shape' && shape.value ? shape.value : undefined;
}

/** The size that the preprocessor resizes images to, where it is one. */
function resizedTo(before: ReadonlySet<Node>): [number, number] | undefined {
  const sizes = [...before].filter((n) => RESIZE.test(n.op)).map((n) => numbersOf(n.inputs[1]));
  const [size] = sizes;
  return sizes.length === 1 && size?.length === 2 ? [size[0], size[1]] : undefined;
}

/** The arithmetic that makes the network's numbers of a picture's; undefined where other things are done too. */
function normalizationOf(graph: Graph, before: ReadonlySet<Node>): Node[] | undefined {
  const steps: Node[] = [];
  for (const node of graph.sorted()) {
    if (!before.has(node)) continue;
    const type = node.attr('T');
    if (ARITHMETIC.test(node.op) && type?.kind === 'type' && type.value === 'float32') {
      const constants = node.inputs.filter((v) => source(v).constant);
      if (constants.length !== 1) return undefined;
      steps.push(node);
    } else if (!HARMLESS.test(node.op) && !(ARITHMETIC.test(node.op) && isCounting(node))) {
      return undefined;
    }
  }
  return steps;
}

/** Arithmetic of loop counters and sizes. */
function isCounting(node: Node): boolean {
  const type = node.attr('T');
  return type?.kind === 'type' && type.value !== 'float32';
}
