/** Branches and loops: their functions become subgraphs. */
import type { Node } from '@floe/export-core';
import type { LoweringRow, LoweringTable, Refusal } from './row';

function refuseCondition(node: Node): Refusal | undefined {
  const { dtype } = node.inputs[0];
  return dtype === undefined || dtype === 'bool' ? undefined : { reason: `IF has no ${dtype} condition` };
}

const IF: LoweringRow = {
  to: ['IF'],
  refuse: refuseCondition,
  build: (c) => {
    const outputs = c.node.types('Tout').map((_, i) => c.output(i));
    const op = c.emit('IF', c.inputs(), outputs, { type: 'IfOptions' });
    op.subgraphs = {
      then_subgraph_index: c.subgraph(c.node.func('then_branch').name),
      else_subgraph_index: c.subgraph(c.node.func('else_branch').name),
    };
  },
};

const WHILE: LoweringRow = {
  to: ['WHILE'],
  build: (c) => {
    const outputs = c.node.types('T').map((_, i) => c.output(i));
    const op = c.emit('WHILE', c.inputs(), outputs, { type: 'WhileOptions' });
    op.subgraphs = {
      cond_subgraph_index: c.subgraph(c.node.func('cond').name),
      body_subgraph_index: c.subgraph(c.node.func('body').name),
    };
  },
};

export const table: LoweringTable = {
  If: IF,
  StatelessIf: IF,
  While: WHILE,
  StatelessWhile: WHILE,
  // Only orders what writes; writers stand in their order anyway.
  NoOp: { to: [], build: () => undefined },
};
