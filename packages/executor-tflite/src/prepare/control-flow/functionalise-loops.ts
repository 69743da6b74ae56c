/**
 * Given:  Enter → Merge ⇄ NextIteration, Merge → Switch(LoopCond) → body and Exit: a TF1 loop
 * Result: While(cond, body); the Exits are identities of its outputs
 *
 * From the innermost loop outwards: what is inside of a loop is functional when its turn comes.
 */
import { attr, type DType, type FunctionGraph, type Graph, type Node, type Value } from '@floe/export-core';
import { setFault } from './faults';
import { findFrames, isEnter, isExit, isMerge, isNextIteration, isSwitch, type Frame } from './frames';
import { addArg, addFunction, addResult, giveInstead } from './functions';
import { copySlice, type Border } from './slices';

export function functionaliseLoops(graph: Graph): void {
  for (const frame of findFrames(graph)) {
    const loop = readLoop(graph, frame);
    if (typeof loop === 'string') {
      const reason = `the loop "${frame.name}" cannot be told: ${loop}`;
      for (const node of frame.nodes) setFault(node, { reason, hint: 'build it with tf.while_loop' });
      continue;
    }
    makeWhile(graph, frame, loop);
  }
}

/** A value that each iteration hands to the next. */
interface Variable {
  enter: Node;
  merge: Node;
  next: Node;
  dtype: DType;
}

interface Loop {
  condition: Node;
  variables: Variable[];
  /** Enters of what never changes. */
  invariants: Node[];
  /** What leaves the loop, by its place among variables and invariants. */
  exits: { node: Node; place: number }[];
}

/** The parts of a loop; a text where it is none that TensorFlow makes. */
function readLoop(graph: Graph, frame: Frame): Loop | string {
  const nodes = frame.nodes.filter((n) => graph.node(n.name) === n);
  const conditions = nodes.filter((n) => n.op === 'LoopCond');
  if (conditions.length !== 1) return `it has ${conditions.length} conditions instead of one`;
  const variables: Variable[] = [];
  for (const merge of nodes.filter(isMerge)) {
    const enter = merge.inputs.find((v) => isEnter(v.node))?.node;
    const next = merge.inputs.find((v) => isNextIteration(v.node))?.node;
    // Other Merges are those of branches inside.
    if (enter && next) variables.push({ enter, merge, next, dtype: enter.type('T') });
  }
  const entering = new Set(variables.map((v) => v.enter));
  const invariants = nodes.filter((n) => isEnter(n) && !entering.has(n));
  const condition = conditions[0];
  const places = [...variables.map((v) => v.merge), ...invariants];
  const exits = nodes
    .filter(isExit)
    .map((node) => ({ node, place: places.indexOf(leaving(node, condition)) }));
  const strange = exits.find((e) => e.place < 0);
  if (strange) return `what leaves it at "${strange.node.name}" is no variable of the loop`;
  return { condition, variables, invariants, exits };
}

/** The variable's Merge, or the invariant's Enter, whose last value an Exit gives. */
function leaving(exit: Node, condition: Node): Node {
  let { node } = exit.inputs[0];
  while (node.op === 'Identity' || isLoopSwitch(node, condition)) node = node.inputs[0].node;
  return node;
}

/** The Switch that asks the loop's condition. */
function isLoopSwitch(node: Node, condition: Node): boolean {
  return isSwitch(node) && node.inputs[1].node === condition;
}

function makeWhile(graph: Graph, frame: Frame, loop: Loop): void {
  const { variables, invariants, condition } = loop;
  const entries = [...variables.map((v) => v.enter), ...invariants];
  const types: DType[] = entries.map((enter) => enter.type('T'));
  const cond = startFunction(graph, `${frame.name}_cond`, loop);
  copySlice(graph, cond.body, [{ name: 'condition', value: condition.inputs[0] }], cond.border);
  const body = startFunction(graph, `${frame.name}_body`, loop);
  const results = variables.map(({ merge, next }) => ({ name: merge.name, value: next.inputs[0] }));
  copySlice(graph, body.body, results, body.border);
  invariants.forEach((enter, i) => addResult(body.body, enter.name, body.args[variables.length + i]));

  const stateful = [cond.body, body.body].some((f) => [...f.nodes.values()].some(hasEffect));
  const loopNode = graph.add(
    frame.name,
    stateful ? 'While' : 'StatelessWhile',
    entries.map((enter) => enter.inputs[0]),
    {
      T: attr.types(types),
      cond: attr.func(cond.body.name),
      body: attr.func(body.body.name),
      output_shapes: { kind: 'list', value: [] },
    },
  );
  // Where the loop stands in a branch, only control edges may say so.
  loopNode.controls = [...new Set(entries.flatMap((enter) => enter.controls))];
  types.forEach((dtype, i) => (loopNode.output(i).dtype = dtype));
  for (const { node, place } of loop.exits)
    giveInstead(graph, node, [loopNode.output(place)], [types[place]]);
  const left = new Set(loop.exits.map((e) => e.node));
  graph.remove(new Set(frame.nodes.filter((n) => !left.has(n) && graph.node(n.name) === n)));
  frame.parent?.nodes.push(loopNode, ...left);
}

interface StartedFunction {
  body: FunctionGraph;
  args: Value[];
  border: Border;
}

/** A function with the loop's variables and invariants as arguments. */
function startFunction(
  graph: Graph,
  name: string,
  { variables, invariants, condition }: Loop,
): StartedFunction {
  const body = addFunction(graph, name);
  const known = new Map<Node, Value>();
  for (const { merge, dtype } of variables) known.set(merge, addArg(body, merge.name, dtype));
  for (const enter of invariants) known.set(enter, addArg(body, enter.name, enter.type('T')));
  const border: Border = {
    // Inside, what the loop's Switch lets through is the variable itself.
    through: (value) => (isLoopSwitch(value.node, condition) ? border.through(value.node.inputs[0]) : value),
    outside: ({ node }) => known.get(node),
  };
  return { body, args: [...known.values()], border };
}

function hasEffect(node: Node): boolean {
  return node.def?.stateful === true && node.op !== '_Arg';
}
