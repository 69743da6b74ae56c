/** Which nodes change something that outlives a run: variables, tables, loop stacks. */
import type { FunctionGraph, Graph, Node } from '../graph/graph';
import { usedFunctions, type Functions } from './function-calls';

const WRITES =
  /^(Assign\w*|\w*Scatter(Nd)?(Update|Add|Sub|Mul|Div|Min|Max)|CountUpTo|ResourceCountUpTo|\w*Apply\w+|InitializeTable\w*|LookupTable(Import|Insert|Remove)\w*|Stack(Push|Pop)\w*|TensorArray(Write|Scatter|Split|Unpack)\w*)$/;

/** Tells for any node whether it writes, itself or in a function that it uses. */
export class SideEffects {
  private readonly writing = new Set<FunctionGraph>();

  constructor(private readonly functions: Functions) {
    const users = new Map<FunctionGraph, FunctionGraph[]>();
    const found: FunctionGraph[] = [];
    for (const body of functions.values()) {
      for (const node of body.nodes.values()) {
        if (WRITES.test(node.op)) found.push(body);
        for (const used of usedFunctions(functions, node)) {
          const list = users.get(used);
          if (list) list.push(body);
          else users.set(used, [body]);
        }
      }
    }
    for (let body = found.pop(); body; body = found.pop()) {
      if (this.writing.has(body)) continue;
      this.writing.add(body);
      found.push(...(users.get(body) ?? []));
    }
  }

  writes(node: Node): boolean {
    return WRITES.test(node.op) || usedFunctions(this.functions, node).some((body) => this.writing.has(body));
  }

  /** The nodes of a graph that write. */
  writers(graph: Graph): Node[] {
    return [...graph.nodes.values()].filter((node) => this.writes(node));
  }
}
