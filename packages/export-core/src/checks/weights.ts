/**
 * G021 and G022: weights that cannot be what training left. The only check that reads weights; it holds one constant
 * at a time, and of one with different numbers it reads only as far as that shows.
 */
import type { Diagnostics } from '../diagnostics/diagnostic';
import type { Graph, Node, Value } from '../graph/graph';
import type { Tensor } from '../tensor/tensor';

/** Constants that ops read as weights, by input. */
const WEIGHT_INPUTS: Record<string, readonly number[]> = {
  Conv2D: [1],
  Conv3D: [1],
  DepthwiseConv2dNative: [1],
  Conv2DBackpropInput: [1],
  Conv3DBackpropInputV2: [1],
  MatMul: [0, 1],
  BatchMatMul: [1],
  BatchMatMulV2: [1],
  BatchMatMulV3: [1],
  Einsum: [0, 1],
  GatherV2: [0],
  Gather: [0],
  BiasAdd: [1],
  FusedBatchNorm: [1, 2, 3, 4],
  FusedBatchNormV2: [1, 2, 3, 4],
  FusedBatchNormV3: [1, 2, 3, 4],
  Add: [0, 1],
  AddV2: [0, 1],
  Sub: [0, 1],
  Mul: [0, 1],
  RealDiv: [0, 1],
};
/** What ordinary arithmetic reads need be no weight; infinite constants are written for it on purpose, as masks. */
const ARITHMETIC = /^(Add|AddV2|Sub|Mul|RealDiv)$/;
/** Those among them whose tensors are filters, matrices or embeddings: trained, they are never all the same. */
const FILTERS = /^(Conv|Depthwise|MatMul|BatchMatMul|Einsum|Gather)/;
/** Smaller ones may be masks, averages or steps that somebody wrote down. */
const MIN_ELEMENTS = 16;
/** Literals of the code that built the graph: no variable is called so. */
const LITERAL = /(^|\/)(zeros|ones|Const|Fill)(_like)?(_\d+)?$/i;
/** How many constants of one kind a message names. */
const MAX_NAMED = 3;

interface Found {
  nan: Node[];
  /** NaN in constants of which it is not known what they do. */
  unclear: Node[];
  infinite: Node[];
  zero: Node[];
  constant: Node[];
}

/** Reads every weight of the graph and of its functions once. */
export function checkWeights(graph: Graph, diagnostics: Diagnostics): void {
  const found: Found = { nan: [], unclear: [], infinite: [], zero: [], constant: [] };
  const seen = new Set<Node>();
  const parts = [graph, ...graph.functions.values()];
  for (const part of parts) {
    for (const node of part.nodes.values()) {
      const weights = WEIGHT_INPUTS[node.op];
      for (const i of weights ?? []) inspect(node, node.inputs[i], found, seen);
    }
  }
  for (const node of parts.flatMap((part) => [...part.nodes.values()])) {
    const { constant } = node;
    if (!constant || seen.has(node) || constant.shape.length === 0 || !isFloat(constant)) continue;
    if (scan(constant) === 'nan') found.unclear.push(node);
  }
  tell(found, diagnostics);
}

function isFloat({ dtype }: Tensor): boolean {
  return /^(float16|bfloat16|float32|float64)$/.test(dtype);
}

function inspect(use: Node, value: Value | undefined, found: Found, seen: Set<Node>): void {
  const node = value && constantNode(value);
  const tensor = node?.constant;
  if (!node || !tensor || seen.has(node)) return;
  seen.add(node);
  if (!isFloat(tensor)) return;
  const said = scan(tensor);
  const isWeight = !ARITHMETIC.test(use.op);
  if (said === 'nan') (isWeight ? found.nan : found.unclear).push(node);
  else if (said === 'infinite') {
    if (isWeight) found.infinite.push(node);
  } else if (said !== undefined && isTrained(use, node)) found[said].push(node);
}

/** A variable's worth of numbers, used as a filter, matrix or embedding. */
function isTrained(use: Node, { name, constant }: Node): boolean {
  if (!constant || constant.shape.length < 2 || constant.size < MIN_ELEMENTS) return false;
  return FILTERS.test(use.op) && !LITERAL.test(name);
}

/** The Const behind identities (`weights/read`). */
function constantNode({ node }: Value): Node | undefined {
  let at = node;
  for (let hops = 0; hops < 64 && at.op === 'Identity' && at.inputs.length === 1; hops++)
    at = at.inputs[0].node;
  return at.op === 'Const' ? at : undefined;
}

/** What is odd about the numbers, by their bits: nothing is converted. */
function scan(tensor: Tensor): 'nan' | 'infinite' | 'zero' | 'constant' | undefined {
  if (tensor.size === 0) return undefined;
  // Asked for once: the elements of a large constant are read from the file each time.
  const { data } = tensor;
  const isShort = tensor.dtype === 'float16' || tensor.dtype === 'bfloat16';
  const words = isShort
    ? (data as Uint16Array)
    : new Int32Array(data.buffer, data.byteOffset, data.byteLength / 4);
  // Sign and exponent are in the upper of a double's two words.
  const step = tensor.dtype === 'float64' ? 2 : 1;
  const { exponent, sign } = BITS[tensor.dtype as keyof typeof BITS];
  const first = words[step - 1];
  let same = true;
  let infinite = false;
  for (let i = step - 1; i < words.length; i += step) {
    const raw = words[i];
    const low = step === 2 ? words[i - 1] : 0;
    if (raw !== first || low !== (step === 2 ? words[0] : 0)) same = false;
    if ((raw & exponent) !== exponent) continue;
    // Exponent all ones: infinite when nothing else is set, else not a number.
    if ((raw & ~exponent & ~sign) !== 0 || low !== 0) return 'nan';
    infinite = true;
  }
  if (infinite) return 'infinite';
  if (!same) return undefined;
  return (first & ~sign) === 0 && (step === 1 || words[0] === 0) ? 'zero' : 'constant';
}

/** Masks of the element's bits; of float64 those of its upper word. */
const BITS = {
  float16: { exponent: 0x7c00, sign: 0x8000 },
  bfloat16: { exponent: 0x7f80, sign: 0x8000 },
  float32: { exponent: 0x7f800000, sign: 0x80000000 | 0 },
  float64: { exponent: 0x7ff00000, sign: 0x80000000 | 0 },
};

function tell({ nan, unclear, infinite, zero, constant }: Found, diagnostics: Diagnostics): void {
  const training = 'training diverged, or the file was damaged after it: freeze an earlier checkpoint';
  if (nan.length) {
    diagnostics.error(
      'G021',
      `${named(nan)} hold${nan.length > 1 ? '' : 's'} NaN: every output that needs it is NaN`,
      {
        hint: training,
        node: nan[0].name,
      },
    );
  }
  if (unclear.length) {
    diagnostics.warning('G021', `${named(unclear)} hold${unclear.length > 1 ? '' : 's'} NaN`, {
      hint: training,
      node: unclear[0].name,
    });
  }
  if (infinite.length) {
    diagnostics.warning('G021', `${named(infinite)} hold${infinite.length > 1 ? '' : 's'} infinite numbers`, {
      hint: training,
      node: infinite[0].name,
    });
  }
  for (const [nodes, what] of [
    [zero, 'all zero'],
    [constant, 'all the same number'],
  ] as const) {
    if (nodes.length === 0) continue;
    diagnostics.warning(
      'G022',
      `${named(nodes)} ${nodes.length > 1 ? 'are' : 'is'} ${what}, as before any training`,
      {
        hint: 'was the checkpoint written before training, or restored only in part? `floe inspect --digest` tells checkpoints apart',
        node: nodes[0].name,
      },
    );
  }
}

function named(nodes: readonly Node[]): string {
  const names = nodes.slice(0, MAX_NAMED).map((n) => `"${n.name}"`);
  const more = nodes.length - names.length;
  return `${names.join(', ')}${more ? ` and ${more} more weights` : ''}`;
}
