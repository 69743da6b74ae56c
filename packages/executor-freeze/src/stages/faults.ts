/**
 * Everything that is wrong with a model that cannot be frozen as it is. What was found so far was given a likely
 * meaning (the tensor that a misspelt name is nearest to, the graph's own type, zeros for a variable without a value),
 * so that the rest can be looked at in the same run. Nothing that may follow from an earlier fault is told.
 */
import {
  Diagnostics,
  FloeError,
  FREEZE_PASSES,
  GraphError,
  parseInput,
  runPasses,
  type Contract,
  type Descriptor,
  type Diagnostic,
  type FreezeContext,
  type Graph,
  type StageContext,
  type StageResult,
} from '@floe/export-core';

/** What may follow from a fault: it is not told with it. */
const CONSEQUENCES: readonly { fault: RegExp; of: RegExp }[] = [
  // Something else stands in for an input or output.
  { fault: /^G001$/, of: /^(G00[1459]|G01[06])$/ },
  // Zeros stand in for variables.
  { fault: /^S00[89]$/, of: /^G02[12]$/ },
  // Neither has the runtime what cannot be frozen.
  { fault: /^S007$/, of: /^T/ },
];
/** With these the graph is none that could be looked at further. */
const MALFORMED = /^G0(07|14|15|20)$/;

/**
 * Adds what else is wrong to what a freeze has found.
 *
 * @param isFrozen whether the passes have run; else they do now, as far as the contract holds
 * @param write the artefacts of a frozen graph
 */
export async function allFaults(
  graph: Graph,
  freezing: FreezeContext,
  { descriptor, examine }: Pick<StageContext, 'descriptor' | 'examine'>,
  isFrozen: boolean,
  write: () => StageResult['artefacts'],
): Promise<Diagnostic[]> {
  const { contract, diagnostics } = freezing;
  const isMalformed = diagnostics.list.some((d) => MALFORMED.test(d.code));
  const isEmpty = contract.signatures.every((s) => s.outputs.length === 0);
  // Where the model begins is not known without its inputs.
  const lacksInput = contract.signatures.some((s) => s.inputs.length < declaredInputs(descriptor, s.key));
  if (isMalformed || isEmpty) return diagnostics.list;
  if (!isFrozen) {
    const more = freezeAnyway(graph, freezing);
    if (!more) return diagnostics.list;
    const told = lacksInput ? /^S/ : /^(S|G006)/;
    diagnostics.addAll(more.filter((d) => d.severity === 'error' && told.test(d.code)));
  }
  if (!examine || lacksInput) return diagnostics.list;
  feedPlaceholders(graph, contract, diagnostics.list);
  const faults = diagnostics.list.filter((d) => d.severity === 'error');
  const follows = CONSEQUENCES.filter(({ fault }) => faults.some((d) => fault.test(d.code)));
  const found = await examine(write());
  diagnostics.addAll(
    found.filter((d) => d.severity !== 'note' && !follows.some(({ of }) => of.test(d.code))),
  );
  return diagnostics.list;
}

/** What the passes say; undefined where they cannot work on the graph. */
function freezeAnyway(graph: Graph, freezing: FreezeContext): readonly Diagnostic[] | undefined {
  const more = new Diagnostics();
  try {
    const changed = { ...freezing, diagnostics: more };
    runPasses(FREEZE_PASSES, graph, changed);
    return more.list;
  } catch (error) {
    if (!(error instanceof GraphError) && !(error instanceof FloeError)) throw error;
    return undefined;
  }
}

function declaredInputs({ inputs, signatures }: Descriptor, key: string): number {
  return (signatures?.[key]?.inputs ?? inputs)?.length ?? 0;
}

/** Placeholders that nobody feeds are inputs from here on, as the message says to declare. */
function feedPlaceholders(graph: Graph, { signatures }: Contract, found: readonly Diagnostic[]): void {
  for (const { code, severity, node: name } of found) {
    const node = code === 'G006' && severity === 'error' && name ? graph.node(name) : undefined;
    if (!node) continue;
    const shape = node.attr('shape');
    const spec = {
      name: node.name,
      tensor: `${node.name}:0`,
      dtype: node.type('dtype'),
      shape: shape?.kind === 'shape' ? shape.value : null,
    };
    for (const { outputs, inputs } of signatures) {
      const ends = outputs.map((o) => graph.node(parseInput(o.tensor).name)).filter((n) => n !== undefined);
      if (graph.ancestors(ends).has(node)) inputs.push(spec);
    }
  }
}
