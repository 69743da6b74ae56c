/**
 * G014 and G015: whether each node is one that its op's definition allows. TensorFlow says the same when it loads a
 * graph, but only of the first node, and not which one feeds it.
 */
import { nearest } from '../diagnostics/suggest';
import type { Diagnostic, Diagnostics } from '../diagnostics/diagnostic';
import type { Attr } from '../graph/attr';
import type { Graph, Node } from '../graph/graph';
import { choicesOf, lengthOf, valuesOf } from './attr-choices';
import { inputTypes, outputTypes, type OpDef } from '../ops/op-def';
import type { DType } from '../tensor/dtype';

/** How many problems of one kind are told one by one. */
const MAX_TOLD = 20;

/** The release whose registry `op-defs.json` is. */
const REGISTRY = 'TensorFlow 2.21';

/** Checks inputs, attributes and types of nodes against TensorFlow's registry. Custom ops have no definition to fit. */
export function checkOpFit(graph: Graph, nodes: Iterable<Node>, diagnostics: Diagnostics): void {
  const problems: Diagnostic[] = [];
  // Asked for once a node: RestoreV2 has as many outputs as the model has variables, and each has its reader.
  const known = new Map<Node, ReturnType<typeof outputTypes>>();
  const typesOf: TypesOf = (source) => {
    if (!known.has(source)) known.set(source, outputTypes(source));
    return known.get(source);
  };
  for (const node of nodes) {
    const { def } = node;
    // A function may be called by its name, in place of an op; arguments of functions are Floe's own nodes.
    if (!def || graph.functions.has(node.op) || node.op === '_Arg') continue;
    const before = problems.length;
    checkAttributes(node, def, problems);
    // What follows is only as good as the attributes.
    if (problems.slice(before).some((p) => p.severity === 'error')) continue;
    checkInputs(node, typesOf, problems);
  }
  tell(problems, diagnostics);
}

function checkAttributes(node: Node, def: OpDef, problems: Diagnostic[]): void {
  const missing = def.attrs.filter((a) => a.defaultValue === undefined && !node.attrs.has(a.name));
  const told = `${node.op} "${node.name}"`;
  if (missing.length) {
    const names = missing.map((a) => `"${a.name}" (${a.type})`).join(' and ');
    problems.push({
      code: 'G014',
      severity: 'error',
      message: `${told} has no attribute ${names}, which ${node.op} must have`,
      hint: 'the file was edited or cut: write the graph again with TensorFlow',
      node: node.name,
    });
  }
  for (const { name, type } of def.attrs) {
    const given = node.attrs.get(name);
    if (!given || given.kind === 'placeholder') continue;
    const kind = type.startsWith('list(') ? 'list' : type;
    const wrong = given.kind === kind ? wrongValue(node, name, given) : undefined;
    if (given.kind === kind && !wrong) continue;
    problems.push({
      code: 'G014',
      severity: 'error',
      message: `attribute "${name}" of ${told} ${wrong ?? `is a ${given.kind}, and ${node.op} takes a ${type}`}`,
      hint: 'the file was edited: write the graph again with TensorFlow',
      node: node.name,
    });
  }
  for (const name of node.attrs.keys()) {
    if (name.startsWith('_') || def.attr(name)) continue;
    const [near] = nearest(
      name,
      def.attrs.map((a) => a.name),
      1,
    );
    problems.push({
      code: 'G014',
      severity: 'warning',
      message: `${told} has the attribute "${name}", which ${node.op} of ${REGISTRY} does not have: TensorFlow will not load it`,
      hint: near
        ? `did you mean \`${near}\`?`
        : 'it comes from another TensorFlow: save the model with strip_default_attrs=True',
      node: node.name,
    });
  }
}

/** What is wrong with an attribute of the right kind. */
function wrongValue(node: Node, name: string, given: Attr): string | undefined {
  const dtype = node.attrs.get('dtype');
  if (given.kind === 'tensor' && dtype?.kind === 'type' && given.value.dtype !== dtype.value)
    return `holds ${given.value.dtype}, and the attribute "dtype" says ${dtype.value}`;
  const length = lengthOf(node, name);
  if (length !== undefined && given.kind === 'list' && given.value.length !== length)
    return `has ${given.value.length} numbers, and ${node.op} takes ${length}`;
  const allowed = choicesOf(node.op, name);
  const other = allowed && valuesOf(given).find((value) => !allowed.includes(value));
  if (other === undefined || !allowed) return undefined;
  return `is ${other}, and ${node.op} takes ${allowed.slice(0, -1).join(', ')} or ${allowed[allowed.length - 1]}`;
}

/** `outputTypes`, remembered. */
type TypesOf = typeof outputTypes;

function checkInputs(node: Node, typesOf: TypesOf, problems: Diagnostic[]): void {
  const wanted = inputTypes(node);
  if (!wanted) return;
  const told = `${node.op} "${node.name}"`;
  if (node.inputs.length !== wanted.length) {
    const reads = node.inputs.length ? `: ${node.inputs.map((v) => `"${v.name}"`).join(', ')}` : '';
    problems.push({
      code: 'G014',
      severity: 'error',
      message: `${told} reads ${count(node.inputs.length)}, and ${node.op} takes ${wanted.length}${reads}`,
      hint: 'the file was edited or cut: write the graph again with TensorFlow',
      node: node.name,
    });
    return;
  }
  node.inputs.forEach((value, i) => {
    const { node: source, index } = value;
    const given = typesOf(source);
    if (!given) return;
    const feeds = `${source.op} "${source.name}"`;
    if (index >= given.length) {
      problems.push({
        code: 'G014',
        severity: 'error',
        message: `${told} reads "${value.name}", but ${feeds} has ${count(given.length, 'output')}`,
        hint: given.length ? `it may mean "${source.name}:${given.length - 1}"` : undefined,
        node: node.name,
      });
    } else if (given[index] && wanted[i] && given[index] !== wanted[i]) {
      problems.push({
        code: 'G015',
        severity: 'error',
        message: `${feeds} gives ${given[index]}, and ${told} takes ${wanted[i]} as its input ${i}`,
        hint: mend(source, given[index], wanted[i]),
        node: node.name,
      });
    }
  });
}

function mend(source: Node, given: DType, wanted: DType): string {
  return /^Placeholder/.test(source.op)
    ? `in the code that builds the graph: tf.placeholder(tf.${wanted}, …, name="${source.name}"), or tf.cast it to ${wanted}`
    : `put a tf.cast(…, tf.${wanted}) between the two where the graph is built (${given} is not ${wanted})`;
}

function count(n: number, what = 'input'): string {
  return n === 0 ? `no ${what}s` : `${n} ${what}${n === 1 ? '' : 's'}`;
}

function tell(problems: readonly Diagnostic[], diagnostics: Diagnostics): void {
  for (const severity of ['error', 'warning'] as const) {
    const list = problems.filter((p) => p.severity === severity);
    diagnostics.addAll(list.slice(0, MAX_TOLD));
    if (list.length > MAX_TOLD) {
      diagnostics.add({
        code: 'G014',
        severity,
        message: `${list.length - MAX_TOLD} more nodes do not fit their ops or neighbours`,
      });
    }
  }
}
