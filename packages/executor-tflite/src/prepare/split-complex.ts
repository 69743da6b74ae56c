/**
 * Given:  complex numbers that TFLite's kernels do not take: Real(StridedSlice(FFT(x)))
 * Result: their real and imaginary parts, each by itself: StridedSlice(x · C)
 *
 * TFLite makes complex numbers by RFFT2D, whose lengths are powers of two, and has few kernels that read them. What can
 * be done with those stays. Where a complex number leaves the graph it stays too: no kernel joins two parts.
 */
import type { Graph, Node, Value } from '@floe/export-core';
import { isComplex, PAIR_RULES, REAL_RULES } from './complex-rules';
import { numbers } from './dims';
import type { PrepareContext } from './prepare';
import { replace, Rewriter } from './rewrite';
import type { Pair } from './rewrites/dft';

/** Ops that TFLite's kernels compute in complex numbers, and sources of them. */
const KERNELS = new Set(
  'Placeholder _Arg Const Identity Reshape ExpandDims Squeeze Mul RFFT RFFT2D'.split(' '),
);
/** Ops that read complex numbers by a kernel, or are written with such. */
const READERS = new Set('Real Imag ComplexAbs IRFFT IRFFT2D Shape Size'.split(' '));

export function splitComplex(graph: Graph, { signatures }: Pick<PrepareContext, 'signatures'>): void {
  const nodes = graph.sorted();
  const isReader = (node: Node): boolean => node.inputs.some(isComplex) && !isComplex(node.output());
  if (!nodes.some(isReader)) return;

  // What kernels can do, with all that it stands on.
  const native = new Set<Node>();
  const readsNative = (node: Node) => node.inputs.every((v) => !isComplex(v) || native.has(v.node));
  for (const node of nodes) {
    if (node.output().dtype === 'complex64' && hasKernel(node) && readsNative(node)) native.add(node);
  }

  // What has to be in parts for something that reads it, from there backwards.
  const wanted = new Set<Node>();
  for (const node of [...nodes].reverse()) {
    const splits = isReader(node)
      ? Object.hasOwn(REAL_RULES, node.op) && !(READERS.has(node.op) && readsNative(node))
      : wanted.has(node) && !native.has(node);
    if (splits) for (const value of node.inputs) if (isComplex(value)) wanted.add(value.node);
  }

  const outputs = new Set(signatures.flatMap((s) => s.outputs.map((o) => o.tensor)));
  const pairs = new Map<Value, Pair>();
  for (const node of nodes) {
    const splits = isReader(node) && node.inputs.some((v) => wanted.has(v.node));
    if (!splits && !wanted.has(node)) continue;
    const b = new Rewriter(graph, node, outputs);
    if (native.has(node) && node.op !== 'Const') {
      pairs.set(node.output(), { re: b.op('Real', [node.output()]), im: b.op('Imag', [node.output()]) });
    } else if (node.inputs.every((v) => !isComplex(v) || pairs.has(v))) {
      const parts = { node, b, given: (i: number) => pairs.get(node.inputs[i])! };
      if (splits) {
        const value = Object.hasOwn(REAL_RULES, node.op) && REAL_RULES[node.op](parts);
        if (value) replace(graph, node, [value], b.added);
      } else if (Object.hasOwn(PAIR_RULES, node.op)) {
        PAIR_RULES[node.op](parts)?.forEach((pair, i) => pair && pairs.set(node.output(i), pair));
      }
    }
  }
}

function hasKernel({ op, inputs }: Node): boolean {
  if (!KERNELS.has(op)) return false;
  if (op !== 'RFFT' && op !== 'RFFT2D') return true;
  const lengths = numbers(inputs[1]);
  // Of a single sample the kernel makes something else.
  return lengths?.every((n) => n > 0 && (n & (n - 1)) === 0) === true && lengths[lengths.length - 1] > 1;
}
