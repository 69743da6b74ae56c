/** `floe inspect`: what an artefact holds. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  detectionYaml,
  inspectArtefact,
  printForPeople,
  type Artefact,
  type DescribedVariable,
  type TensorSpec,
} from '@floe/export-core';
import { table, UsageError, type Arguments, type Command } from './arguments';
import type { ExitCode } from './main';
import type { Terminal } from './terminal';

export const command: Command = {
  usage: 'floe inspect PATH [options]',
  purpose: 'Says what a checkpoint, a SavedModel, a graph or a .tflite holds.',
  details: `PATH is a checkpoint (prefix, file or folder), a SavedModel folder, a .meta, .pb or .pbtxt graph, or a .tflite;
which of them is told by content.

Examples:
  floe inspect ckpt/model.ckpt-10               variables, and the likely inputs and outputs
  floe inspect dist/float/model.tflite --json   the same for programs

Exit code: 0 it was read, 1 it cannot be, 2 called wrongly.`,
  options: {
    digest: { type: 'boolean', help: "Add the sha256 of each variable's elements" },
    json: { type: 'boolean', help: 'Print one JSON object' },
  },
};

/** Variables and operators that are printed for people; JSON has all. */
const MAX_ROWS = 40;

/** Runs `floe inspect` with its parsed arguments. */
export async function run({ positionals, values }: Arguments, io: Terminal): Promise<ExitCode> {
  if (positionals.length !== 1) throw new UsageError('name one artefact: floe inspect PATH');
  const path = resolve(io.cwd, positionals[0]);
  const artefact = inspect(path, values.digest === true);
  const { kind, format, signatures, inputs, outputs, variables, ops, detection, diagnostics } = artefact;
  if (values.json === true) {
    const all = { kind, format, signatures, inputs, outputs, variables, ops, detection };
    io.out(`${JSON.stringify(all)}\n`);
  } else {
    io.out(describe(artefact, positionals[0]));
  }
  if (diagnostics.length > 0) io.err(printForPeople(diagnostics, io));
  return 0;
}

/** Inspects an artefact of either side: TensorFlow's or the .tflite. */
export function inspect(path: string, digest: boolean): Artefact {
  if (existsSync(path) && isTflite(path)) {
    const { inspectTflite } = require('@floe/executor-tflite') as typeof import('@floe/executor-tflite');
    return inspectTflite(path, { digest });
  }
  return inspectArtefact(path, { digest });
}

function isTflite(path: string): boolean {
  const { sniff } = require('@floe/export-core') as typeof import('@floe/export-core');
  return sniff(path).kind === 'tflite';
}

function describe(artefact: Artefact, path: string): string {
  const { format, signatures, inputs, outputs, variables, ops, detection } = artefact;
  const parts = [`${path}: ${format}\n`];
  for (const { key, inputs: ins, outputs: outs } of signatures) {
    parts.push(`\nSignature ${key}\n${tensors('input', ins)}${tensors('output', outs)}`);
  }
  if (signatures.length === 0) {
    if (inputs.length > 0) parts.push(`\nLikely inputs\n${tensors('', inputs)}`);
    if (outputs.length > 0) parts.push(`\nLikely outputs\n${tensors('', outputs)}`);
  }
  if (detection) {
    const lines = detectionYaml(detection).map((line) => `  ${line}\n`);
    parts.push(
      `\nA single-shot detector: its post-processing for the phone, in model.yaml\n${lines.join('')}`,
    );
  }
  if (variables.length > 0)
    parts.push(`\nVariables (${variables.length})\n${rows(variables.map(variableRow))}`);
  const counts = Object.entries(ops).sort(([, a], [, b]) => b - a);
  const total = counts.reduce((sum, [, count]) => sum + count, 0);
  if (total > 0) parts.push(`\nOperators (${total})\n${rows(counts.map(([op, n]) => [op, String(n)]))}`);
  return parts.join('');
}

function tensors(role: string, list: readonly TensorSpec[]): string {
  return table(
    list.map(({ name, tensor, dtype, shape }) => [
      role ? `${role} ${name}` : name,
      `${dtype} ${shapeText(shape)}  ${tensor}`,
    ]),
  );
}

function variableRow({ name, dtype, shape, sha256 }: DescribedVariable): [string, string] {
  return [name, `${dtype} ${shapeText(shape)}${sha256 === undefined ? '' : `  ${sha256}`}`];
}

function rows(all: [string, string][]): string {
  const more = all.length - MAX_ROWS;
  return table(all.slice(0, MAX_ROWS)) + (more > 0 ? `  … and ${more} more: see --json\n` : '');
}

function shapeText(shape: readonly (number | null)[] | null): string {
  return shape === null ? 'of any rank' : `[${shape.map((size) => size ?? '?').join(', ')}]`;
}
