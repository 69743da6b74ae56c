/** Which nodes change something that outlives a run: variables, tables, queues, loop stacks. */
import type { FunctionGraph, Graph, Node } from '../graph/graph';
import { usedFunctions, type Functions } from './function-calls';

const WRITES =
  /^(Assign\w*|\w*Scatter(Nd)?(Update|Add|Sub|Mul|Div|Min|Max)|CountUpTo|ResourceCountUpTo|\w*Apply\w+|InitializeTable\w*|LookupTable(Import|Insert|Remove)\w*|Stack(Push|Pop)\w*|TensorArray(Write|Scatter|Split|Unpack)\w*)$/;

/** Tells for any node whether it writes, itself or in a function that it uses. */
export class SideEffects {
  private readonly known = new Map<FunctionGraph, boolean>();

  constructor(private readonly functions: Functions) {}

  writes(node: Node): boolean {
    return WRITES.test(node.op) || usedFunctions(this.functions, node).some((body) => this.inside(body));
  }

  /** The nodes of a graph that write. */
  writers(graph: Graph): Node[] {
    return [...graph.nodes.values()].filter((node) => this.writes(node));
  }

  /** Functions are no cycle here: inlining refused those. A depth of bodies within bodies is a stack of calls. */
  private inside(body: FunctionGraph): boolean {
    let answer = this.known.get(body);
    if (answer === undefined) {
      // For a function that leads back to itself: nothing more than what is found otherwise.
      this.known.set(body, false);
      answer = [...body.nodes.values()].some((node) => this.writes(node));
      this.known.set(body, answer);
    }
    return answer;
  }
}
