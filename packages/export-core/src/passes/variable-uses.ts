/**
 * Everything that sees a variable: through identities and TF1 control flow, into the bodies of functional control
 * flow and out again.
 */
import type { FunctionGraph, Graph, Node, Value } from '../graph/graph';
import { branchesOf, type Branching } from './function-calls';

/** Ops that hand a reference or handle on, unchanged. */
const CARRIERS = new Set([
  'Identity',
  'IdentityN',
  'Switch',
  'Merge',
  'Enter',
  'Exit',
  'NextIteration',
  'RefIdentity',
  'RefSwitch',
  'RefMerge',
  'RefEnter',
  'RefExit',
  'RefNextIteration',
]);

const VARIABLE = /^(VariableV2|Variable|VarHandleOp)$/;

/** Reads that a constant can serve. */
const READS = new Set([
  'ReadVariableOp',
  'ResourceGather',
  'ResourceGatherNd',
  'VariableShape',
  'VarIsInitializedOp',
  'IsVariableInitialized',
  'DisableCopyOnRead',
]);

/** Writes through a reference; resources have no others than those of `READS`. */
const REF_WRITES = /^(Assign(Add|Sub)?|Scatter\w*|CountUpTo|\w*Apply\w+)$/;

export interface Use {
  graph: Graph;
  node: Node;
}

/** Variables that are one to those who see them: nodes of one shared name, or handles that meet in one argument. */
export interface VariableGroup {
  variables: Use[];
  /** Every value that is the variable: its node's, and those of whatever hands it on. */
  values: Set<Value>;
  /** What reads or writes it, hands it on or takes it into a body. */
  uses: Map<Node, Graph>;
  written: boolean;
}

interface Site extends Use {
  branching: Branching;
}

/** Every variable of the graph and its functions, in groups that must be treated alike. */
export function variableGroups(graph: Graph): VariableGroup[] {
  const graphs: Graph[] = [graph, ...graph.functions.values()];
  const sites = callSites(graph, graphs);
  const consumers = new Map(graphs.map((g) => [g, g.consumers()]));
  const groupOf = new Map<Value | string, VariableGroup>();
  const groups = new Set<VariableGroup>();
  const join = (key: Value | string, group: VariableGroup): VariableGroup => {
    const other = groupOf.get(key);
    if (!other || other === group) {
      groupOf.set(key, group);
      return group;
    }
    merge(other, group);
    for (const value of group.values) groupOf.set(value, other);
    for (const { node } of group.variables) groupOf.set(sharedName(node), other);
    groups.delete(group);
    return other;
  };
  for (const each of graphs) {
    for (const node of each.nodes.values()) {
      if (!VARIABLE.test(node.op)) continue;
      let group = trace({ graph: each, node }, consumers, sites);
      groups.add(group);
      group = join(sharedName(node), group);
      for (const value of [...group.values]) group = join(value, group);
    }
  }
  return [...groups];
}

/** What makes two nodes one variable. */
export function sharedName(node: Node): string {
  const text = (name: string): string => {
    const value = node.attrs.get(name);
    return value?.kind === 'string' ? Buffer.from(value.value).toString('utf8') : '';
  };
  return `${text('container')}\0${text('shared_name') || node.name}`;
}

function merge(into: VariableGroup, from: VariableGroup): void {
  into.variables.push(...from.variables);
  for (const value of from.values) into.values.add(value);
  for (const [node, graph] of from.uses) into.uses.set(node, graph);
  into.written ||= from.written;
}

function callSites(graph: Graph, graphs: readonly Graph[]): Map<FunctionGraph, Site[]> {
  const sites = new Map<FunctionGraph, Site[]>();
  for (const each of graphs) {
    for (const node of each.nodes.values()) {
      const branching = branchesOf(graph.functions, node);
      for (const body of new Set(branching?.giving)) {
        const list = sites.get(body);
        const site = { graph: each, node, branching: branching! };
        if (list) list.push(site);
        else sites.set(body, [site]);
      }
    }
  }
  return sites;
}

function trace(
  variable: Use,
  consumers: ReadonlyMap<Graph, Map<Node, Node[]>>,
  sites: ReadonlyMap<FunctionGraph, Site[]>,
): VariableGroup {
  const group: VariableGroup = { variables: [variable], values: new Set(), uses: new Map(), written: false };
  const functions = [...consumers.keys()][0].functions;
  const isRef = variable.node.op !== 'VarHandleOp';
  const where = new Map<Value, Graph>();
  const reach = (graph: Graph, value: Value): void => {
    group.values.add(value);
    where.set(value, graph);
  };
  reach(variable.graph, variable.node.output());
  for (const value of group.values) {
    const graph = where.get(value)!;
    for (const use of consumers.get(graph)!.get(value.node) ?? []) {
      use.inputs.forEach((input, i) => {
        if (input !== value) return;
        const branching = branchesOf(functions, use);
        if (branching && i < branching.firstInput) return;
        group.uses.set(use, graph);
        if (branching) {
          for (const body of branching.bodies) reach(body, body.args[i - branching.firstInput].output());
        } else if (CARRIERS.has(use.op)) {
          carried(use, i).forEach((next) => reach(graph, next));
        } else if (isRef ? REF_WRITES.test(use.op) && i === 0 : !READS.has(use.op)) {
          group.written = true;
        }
      });
    }
    for (const site of sites.get(graph as FunctionGraph) ?? []) {
      (graph as FunctionGraph).results.forEach((result, k) => {
        if (result === value) reach(site.graph, site.node.output(k));
      });
    }
  }
  return group;
}

/** The outputs that are input `i` of a carrier. */
function carried(use: Node, i: number): Value[] {
  if (use.op === 'IdentityN') return [use.output(i)];
  if (use.op.endsWith('Switch')) return i === 0 ? [use.output(0), use.output(1)] : [];
  return [use.output()];
}
