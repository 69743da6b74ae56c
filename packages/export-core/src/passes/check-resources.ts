/**
 * Given:  a frozen graph that still needs a queue, an iterator or another resource whose contents are nowhere in it
 * Result: an error that says what to declare, or that such a model cannot be frozen
 */
import type { Graph, Node } from '../graph/graph';
import { outputTypes } from '../ops/op-def';
import type { FreezeContext } from './freeze-context';

const FEEDS = /(Queue|Iterator|Reader|Barrier|StagingArea|Stage)(V\d)?$|^(OneShotIterator|IteratorV2)$/;
const TAKES =
  /^(QueueDequeue\w*|Iterator(GetNext\w*|ToStringHandle)|Reader\w*Read\w*|Unstage|BarrierTakeMany)$/;
/** Resources whose contents freezing knows how to keep, or that begin empty at every run. */
const KEPT =
  /^(VarHandleOp|(Anonymous)?(Mutable(Dense)?)?HashTable(OfTensors)?(V2)?|Stack(V2)?|TensorArray(V2|V3)?|AnonymousMutable\w*HashTable\w*|MutexV2|_Arg)$/;

export function checkResources(graph: Graph, { diagnostics }: FreezeContext): void {
  for (const each of [graph, ...graph.functions.values()]) {
    const consumers = each.consumers();
    for (const node of each.nodes.values()) {
      if (node.inputs.length > 0 || KEPT.test(node.op)) continue;
      if (FEEDS.test(node.op)) {
        const taken = (consumers.get(node) ?? []).find((n) => TAKES.test(n.op)) ?? node;
        diagnostics.error(
          'G006',
          `the outputs are fed by "${node.name}" (${node.op}), which a frozen graph does not have`,
          {
            hint: `declare what comes out of it: inputs: [{ name: x, tensor: "${taken.name}:0" }]`,
            node: node.name,
          },
        );
      } else if (isResource(node)) {
        diagnostics.error('S007', `"${node.name}" (${node.op}) holds state that cannot be frozen`, {
          hint: 'declare outputs that do not need it',
          node: node.name,
        });
      }
    }
  }
}

function isResource(node: Node): boolean {
  return node.def?.stateful === true && (outputTypes(node) ?? []).includes('resource');
}
