/** Refused nodes as diagnostics: grouped by cause, with what feeds and uses them, and the nearest cure. */
import {
  editDistance,
  nearest,
  opNames,
  type Contract,
  type Diagnostic,
  type Node,
  type TensorSpec,
} from '@floe/export-core';
import type { RefusedNode } from '../lower/lower';
import { libraryOf } from './custom-ops';
import { cureOf } from './op-cures';
import { refusalCode, type RefusalCode } from './refusal-code';

/** How many nodes a message names. */
const MAX_NAMED = 3;
/** Edits that make the name of one of TensorFlow's ops a misspelt one. */
const MAX_TYPOS = 2;
/** How many ops the message about reading and parsing names. */
const MAX_OPS = 6;

export interface Group {
  code: RefusalCode;
  refused: RefusedNode[];
}

/**
 * Nodes with the same cause together; everything that reads or parses is one cause, and so is control flow. What only
 * follows from another node is left out.
 */
export function groupByCause(refused: readonly RefusedNode[]): Group[] {
  const groups = new Map<string, Group>();
  const names = new Set(refused.map(({ node }) => node.name));
  for (const each of refused) {
    if (each.refusal.follows !== undefined && names.has(each.refusal.follows)) continue;
    const code = refusalCode(each.node, each.refusal);
    const cause =
      code === 'T006' || code === 'T007' ? code : `${code} ${each.node.op} ${each.refusal.reason}`;
    const group = groups.get(cause);
    if (group) group.refused.push(each);
    else groups.set(cause, { code, refused: [each] });
  }
  return [...groups.values()];
}

export interface Surroundings {
  consumers: ReadonlyMap<Node, Node[]>;
  /** A ready line with tensors to end the model at, before these nodes. */
  endBefore(nodes: readonly Node[]): string | undefined;
}

/** One diagnostic for a group; `cure` is what was found for it by trying. */
export function describe(group: Group, cure: string | undefined, around: Surroundings): Diagnostic {
  const [{ node, refusal }] = group.refused;
  const nodes = group.refused.map((r) => r.node);
  const base = { code: group.code, severity: 'error', node: node.name } as const;
  switch (group.code) {
    case 'T002': {
      const library = libraryOf(node.op);
      const near = library ? undefined : misspelt(node.op);
      const from = library
        ? `it comes from ${library.name}`
        : `the library it comes from is not known${near === undefined ? '' : ` (TensorFlow has ${near})`}`;
      const has = library?.runtime ? ` (${library.runtime})` : '';
      const instead = library?.instead ? `; or ${library.instead}` : '';
      return {
        ...base,
        message: `${named(nodes)} ${be(nodes)} no op of TensorFlow's: ${from}. A runtime needs a kernel of its own for it`,
        hint:
          refusal.reason.startsWith('the type') && refusal.hint
            ? `${refusal.reason}: ${refusal.hint}`
            : `allowCustomOps: [${node.op}], if the runtime that is to run the model registers it${has}${instead}`,
      };
    }
    case 'T006':
      return {
        ...base,
        message: `the graph reads, parses or works on text: ${opsOf(nodes)}. TFLite has no operators for that: the app does it around the model`,
        hint: cure ?? refusal.hint ?? cureOf(node.op) ?? 'declare the tensor behind it under inputs',
      };
    case 'T007':
      return {
        ...base,
        message: `control flow could not be made functional: no loop or branch that tf.while_loop or tf.cond makes has ${opsOf(nodes)}`,
        hint: 'build the model for inference again (loops with tf.while_loop, branches with tf.cond), or declare inputs behind it',
      };
    case 'T004':
      return {
        ...base,
        message: `${named(nodes)} ${needsSizes(refusal.reason)}${shapesOf(node)}`,
        hint:
          cure ??
          refusal.hint ??
          'make the size constant where the graph is built: no declared input decides it',
      };
    default: {
      const message = `${named(nodes)} cannot be converted: ${refusal.reason}${neighbours(node, around)}`;
      const hints = [
        refusal.hint ?? cureOf(node.op) ?? cureOfType(refusal.reason),
        around.endBefore(nodes),
        hasNoRow(refusal.reason)
          ? `allowCustomOps: [${node.op}] where the runtime has a kernel of that name`
          : undefined,
      ].filter((hint) => hint !== undefined);
      return {
        ...base,
        message,
        hint: hints.length ? hints.join('; or ') : undefined,
      };
    }
  }
}

/** The op of TensorFlow's that a name is a misspelt one of. */
function misspelt(op: string): string | undefined {
  const [near] = nearest(op, opNames(), 1);
  return near !== undefined && editDistance(near, op, MAX_TYPOS) !== undefined ? near : undefined;
}

/** For a type that the kernel has not: the types that all kernels have. */
function cureOfType(reason: string): string | undefined {
  const type = /\bno (float64|float16|bfloat16|int8|int16|uint8|uint16|uint32|uint64|int64) kernel/.exec(
    reason,
  )?.[1];
  if (type === undefined) return undefined;
  const to = /float/.test(type) ? 'float32' : 'int32';
  return `compute it in ${to} where the graph is built: tf.cast(x, tf.${to})`;
}

function needsSizes(reason: string): string {
  return hasNoRow(reason) ? 'can be converted only with known sizes' : `cannot be converted: ${reason}`;
}

function hasNoRow(reason: string): boolean {
  return reason.startsWith('TFLite has no such operator');
}

function named(nodes: readonly Node[]): string {
  const names = nodes.slice(0, MAX_NAMED).map((n) => `"${n.name}"`);
  const more = nodes.length - names.length;
  return `${nodes[0].op} ${names.join(', ')}${more ? ` and ${more} more` : ''}`;
}

function be(nodes: readonly Node[]): string {
  return nodes.length > 1 ? 'are' : 'is';
}

/** `ParseExample "a", 3 LookupTableFindV2 ("b", …)` */
function opsOf(nodes: readonly Node[]): string {
  const byOp = new Map<string, Node[]>();
  for (const node of nodes) byOp.set(node.op, [...(byOp.get(node.op) ?? []), node]);
  const ops = [...byOp].map(([op, list]) =>
    list.length === 1 ? `${op} "${list[0].name}"` : `${list.length} ${op} ("${list[0].name}", …)`,
  );
  const more = ops.length - MAX_OPS;
  return ops.slice(0, MAX_OPS).join(', ') + (more > 0 ? ` and ${more} more ops` : '');
}

/** "; it reads … and feeds …": where in the model the node stands. */
function neighbours(node: Node, { consumers }: Surroundings): string {
  const reads = [...new Set(node.inputs.map((v) => v.node))].filter((n) => n.op !== 'Const').map(short);
  const feeds = (consumers.get(node) ?? []).map(short);
  const list = (names: string[]) => names.slice(0, 2).join(' and ') + (names.length > 2 ? ' and others' : '');
  const parts = [
    ...(reads.length ? [`reads ${list(reads)}`] : []),
    ...(feeds.length ? [`feeds ${list(feeds)}`] : []),
  ];
  return parts.length ? `; it ${parts.join(' and ')}` : '';
}

function short(node: Node): string {
  return `${node.op} "${node.name}"`;
}

function shapesOf(node: Node): string {
  const shapes = node.inputs
    .filter((v) => v.constant === undefined)
    .map((v) => `"${v.name}" is ${v.shape ? `[${v.shape.map((d) => d ?? '?').join(',')}]` : 'of any rank'}`);
  return shapes.length ? ` (${shapes.slice(0, 2).join(', ')})` : '';
}

/** A contract's entries as a line of model.yaml. */
export function specLine(list: 'inputs' | 'outputs', specs: readonly TensorSpec[]): string {
  const entries = specs.map(({ name, tensor, dtype, shape }) => {
    const more =
      list === 'inputs'
        ? `, dtype: ${dtype}${shape ? `, shape: ${JSON.stringify(shape).replace(/,/g, ', ')}` : ''}`
        : '';
    return `{ name: ${name}, tensor: "${tensor}"${more} }`;
  });
  return `${list}: [${entries.join(', ')}]`;
}

/** Lines as they stand at the top of model.yaml, or under their signature where there are several. */
export function underSignature(contract: Contract, signature: string, lines: readonly string[]): string {
  return contract.signatures.length > 1
    ? `signatures: { ${signature}: { ${lines.join(', ')} } }`
    : lines.join(' and ');
}

/**
 * Lines that replace inputs and outputs from convert on. They name tensors of the frozen graph, of which the source may
 * have some in functions.
 */
export function forPhone(lines: readonly string[]): string {
  return `tflite: { ${lines.join(', ')} }`;
}
