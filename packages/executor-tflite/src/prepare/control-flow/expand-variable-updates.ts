/**
 * Given:  AssignAddVariableOp(v, x), AssignSubVariableOp(v, x)
 * Result: AssignVariableOp(v, ReadVariableOp(v) + x)
 *
 * What waited for the update waits for the assignment, which waits for the reading.
 */
import { attr, type Graph } from '@floe/export-core';

const UPDATES: Record<string, string> = { AssignAddVariableOp: 'AddV2', AssignSubVariableOp: 'Sub' };

export function expandVariableUpdates(graph: Graph): void {
  for (const node of [...graph.nodes.values()]) {
    if (!Object.hasOwn(UPDATES, node.op)) continue;
    const [handle, change] = node.inputs;
    const dtype = attr.type(node.type('dtype'));
    const before = graph.add(`${node.name}/before`, 'ReadVariableOp', [handle], { dtype });
    // It reads when the update would have.
    before.controls = [...node.controls];
    const after = graph.add(`${node.name}/after`, UPDATES[node.op], [before.output(), change], { T: dtype });
    graph.become(node, 'AssignVariableOp', [handle, after.output()], { dtype });
  }
}
