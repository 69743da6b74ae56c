/**
 * docs/ops.md: what becomes of each TensorFlow op. From the tables, and from what conversion does with the op fixtures:
 * rewrites are code, so what they make is seen only where they are run.
 */
import { opDef, opRow, tableOps, type DType } from '@floe/export-core';
import {
  fixtureFamilies,
  loadFixtures,
  type FixtureCase,
} from '../../../../export-core/src/ops/testing/fixtures';
import { PAIR_RULES, REAL_RULES } from '../../prepare/complex-rules';
import { controlFlowOps } from '../../prepare/control-flow/handled-ops';
import { rewrittenOps } from '../../prepare/rewrite-to-builtins';
import { MAX_LENGTH } from '../../prepare/rewrites/dft';
import { upgradedOps } from '../../prepare/upgrade-versions';
import { tensorType } from '../../tflite/model';
import { loweredOps, loweringRow } from '../table';
import { lowerCases } from './fixture-models';

/** What is known of one op. */
interface Entry {
  operators: Set<string>;
  /** Of the operand that gives the op its type. */
  types: Set<DType>;
}

/** The order in which types are told. */
const TYPES =
  `float32 float16 bfloat16 float64 int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool string complex64
complex128`.split(/\s+/) as DType[];

/** The whole document. */
export function opsDocument(): string {
  const seen = measured();
  const inside = controlFlowOps();
  const converted = [...new Set([...loweredOps(), ...rewrittenOps(), ...upgradedOps()])]
    // Rewrites have names of their own for some operators, which are no ops of TensorFlow.
    .filter((op) => opDef(op) && !inside.has(op))
    .sort();
  const inParts = Object.keys({ ...PAIR_RULES, ...REAL_RULES }).sort();
  const known = [...converted, ...inside.keys(), ...inParts];
  const folded = tableOps().filter((op) => opRow(op)?.evaluate && !known.includes(op));
  const rows = converted.map((op) => rowOf(op, seen.get(op)));
  return `# Operations

What becomes of each TensorFlow op. *Types* are those of its main operand with which it is converted; where the TFLite kernel lacks one, operands are cast to a type that holds the same numbers, and the result back. \`floe validate\` says what stands in the way of a graph.

<!-- Written by scripts/generate-ops.mjs from the tables of packages/executor-tflite/src and the op fixtures: edit it there. -->

| op | TFLite operators | types | conditions |
| --- | --- | --- | --- |
${rows.join('\n')}

Fusion then joins operators: biases, scales and activations go into the layers before them, and what stands for GELU, HARD_SWISH, L2_NORMALIZATION, SOFTMAX and others becomes one operator (\`fuse/fuse.ts\`).

## Control flow and lists

| op | becomes |
| --- | --- |
${[...inside].map(([op, text]) => `| ${op} | ${text} |`).join('\n')}

## Complex numbers

TFLite makes complex numbers by RFFT2D, in lengths that are powers of two, and has few kernels that read them. Between real inputs and outputs these ops are computed on real and imaginary parts, transforms of up to ${MAX_LENGTH} elements as products with constant matrices: ${inParts.join(', ')}.

## Only of constants

These have no conversion, but are computed once where all their operands are constant: ${folded.join(', ')}.

## All others

An op that is in no list can stay a custom operator of its name (\`allowCustomOps\`), its attributes as flexbuffer options.
`;
}

function rowOf(op: string, entry: Entry | undefined): string {
  const row = loweringRow(op);
  const operators = [...new Set([...(row?.to ?? []), ...(entry?.operators ?? [])])];
  const without = upgradedOps().includes(op) ? 'as the op that took its place' : 'none';
  const types = entry ? TYPES.filter((t) => entry.types.has(t)) : [];
  return `| ${op} | ${operators.join(', ') || without} | ${types.join(', ')} | ${row?.note ?? ''} |`;
}

/** What conversion does with the fixtures of each op. */
function measured(): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  const known = new Set([...loweredOps(), ...rewrittenOps(), ...upgradedOps()]);
  for (const family of fixtureFamilies()) {
    const cases = loadFixtures(family).filter(
      (t) => known.has(t.op) && [...t.inputs, ...t.outputs].every((v) => tensorType(v.dtype)),
    );
    lowerCases(cases).forEach((operators, test) => {
      const entry = entries.get(test.op) ?? { operators: new Set(), types: new Set() };
      entries.set(test.op, entry);
      operators.forEach((code) => entry.operators.add(code));
      entry.types.add(typeOf(test));
    });
  }
  return entries;
}

/** The type of the operands called T, or else of the first. */
function typeOf(test: FixtureCase): DType {
  const node = test.node();
  const [first] = node.def?.inputs ?? [];
  const name = node.attr('T') ? 'T' : (first?.type.replace('@', '') ?? '');
  return node.attr(name)?.kind === 'type' ? node.type(name) : test.inputs[0].dtype;
}
