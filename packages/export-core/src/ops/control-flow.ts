/** Control flow of both generations: the shapes that their nodes' attributes and inputs tell. */
import type { InferContext, OpRow, OpTable, OutputInfo } from './op-row';
import { likeInput, out, upTo } from './kernels/shape-rules';
import { argLength } from './op-def';
import type { Attr } from '../graph/attr';
import type { Node } from '../graph/graph';
import type { Dim, Shape } from '../tensor/shape';

/*
 * No known elements pass through the TF1 ops: folding one of them into a constant would move it out of its loop or
 * its branch.
 */
const passes: OpRow = { infer: likeInput() };

const bothBranches: OpRow = { infer: (c) => [{ shape: c.shape(0) }, { shape: c.shape(0) }] };

/** What comes out has the shape of one of the inputs: only what all of them share is known. */
const merge: OpRow = {
  infer: (c) => {
    let shape = c.count ? c.shape(0) : null;
    for (let i = 1; i < c.count; i++) shape = common(shape, c.shape(i));
    return [{ shape }, { shape: [] }];
  },
};

function common(a: Shape, b: Shape): Shape {
  if (a === null || b === null || a.length !== b.length) return null;
  return a.map((d, i): Dim => (d === b[i] ? d : null));
}

function outputCount(node: Node): number {
  return node.def?.outputs.reduce((sum, arg) => sum + argLength(node, arg), 0) ?? 0;
}

/** Shapes from a list attribute with one entry for each output; undefined where it is absent or empty. */
function listed(attr: Attr | undefined, count: number): OutputInfo[] | undefined {
  if (attr?.kind !== 'list' || attr.value.length !== count || count === 0) return undefined;
  return attr.value.map((s) => ({ shape: s.kind === 'shape' ? s.value : null }));
}

/** Outputs of a function: what its caller's attributes say of them. */
function announced(c: InferContext): OutputInfo[] {
  const count = outputCount(c.node);
  const shapes =
    listed(c.node.attr('output_shapes'), count) ?? listed(c.node.attrs.get('_output_shapes'), count);
  return shapes ?? upTo(count).map(() => ({ shape: null }));
}

const call: OpRow = { infer: announced };

/** A loop variable keeps its shape unless the node says otherwise. */
const loop: OpRow = {
  infer: (c) =>
    listed(c.node.attr('output_shapes'), c.count) ?? upTo(c.count).map((i) => ({ shape: c.shape(i) })),
};

export const table: OpTable = {
  Switch: bothBranches,
  RefSwitch: bothBranches,
  _SwitchN: { infer: (c) => upTo(c.node.int('num_outs')).map(() => ({ shape: c.shape(0) })) },
  Merge: merge,
  RefMerge: merge,
  Enter: passes,
  RefEnter: passes,
  Exit: passes,
  RefExit: passes,
  NextIteration: passes,
  RefNextIteration: passes,
  LoopCond: { infer: () => out([]) },
  RefSelect: {
    infer: (c) =>
      out(
        upTo(c.count - 1)
          .map((i) => c.shape(i + 1))
          .reduce(common),
      ),
  },
  If: call,
  StatelessIf: call,
  _If: call,
  Case: call,
  StatelessCase: call,
  PartitionedCall: call,
  StatefulPartitionedCall: call,
  RemoteCall: call,
  SymbolicGradient: call,
  For: { infer: (c) => upTo(outputCount(c.node)).map(() => ({ shape: null })) },
  While: loop,
  StatelessWhile: loop,
  _While: loop,
};
