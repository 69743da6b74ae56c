/** `floe export`: the whole chain in one process, for each model.yaml. */
import { statSync } from 'node:fs';
import { join, relative } from 'node:path';
import {
  diagnosticsToJson,
  formatSize,
  nowAndThen,
  openModel,
  printResult,
  processMemo,
  readManifest,
  runTarget,
  stageOf,
  STAGES,
  dependenciesOf,
  targetsUpTo,
  type CodeIdentity,
  type DiagnosticJson,
  type Memo,
  type ModelProject,
  type RunResult,
  type StageFunctions,
  type StageName,
  type StageTarget,
  type TargetRef,
} from '@floe/export-core';
import { suggest, UsageError, type Arguments, type Command } from './arguments';
import { findModels } from './find-models';
import type { ExitCode } from './main';
import type { Terminal } from './terminal';

/** How often long work says how far it is. */
const PROGRESS_MS = 2000;

const STAGE_NAMES = STAGES.map(({ name }) => name);

export const command: Command = {
  usage: 'floe export PATH... [options]',
  purpose:
    'Exports models: freezes, validates and converts each model.yaml into dist/<variant>/model.tflite.',
  details: `PATH is a model.yaml, the folder of one, or a folder that is searched for them. A model that fails does not
stop the others. What is up to date is not made again.

Examples:
  floe export models/resnet                     every variant
  floe export models --variant int8 --json      one variant of many models, a JSON line each
  floe export models/resnet --until verify      also compare the .tflite with the frozen graph
  floe export models --watch                    and again whenever a model.yaml or a file that it names changes

Exit code: 0 all exported, 1 some failed, 2 called wrongly. Watching ends with Ctrl-C, and with 0.`,
  options: {
    variant: { type: 'string', multiple: true, value: 'NAME', help: 'Only this variant' },
    until: {
      type: 'string',
      value: 'STAGE',
      help: `Last stage (default export-tflite): ${STAGE_NAMES.join(', ')}`,
    },
    force: { type: 'boolean', help: 'Make everything again' },
    watch: { type: 'boolean', help: 'Export again what changes, and say what changed, until Ctrl-C' },
    json: { type: 'boolean', help: 'Print one JSON line a model' },
  },
};

/** One model's line under `--json`. */
export interface ExportResult {
  model: string;
  ok: boolean;
  frozen: string | null;
  tflite: Record<string, string>;
  diagnostics: DiagnosticJson[];
  ms: number;
}

export interface ExportOptions {
  /** Only these variants; empty: all. */
  variants: readonly string[];
  until: StageName;
  force: boolean;
  json: boolean;
  /** Says only what was made, not what was there already. */
  newsOnly?: boolean;
  /** Stops between two targets. */
  signal?: AbortSignal;
}

/** The stages to run and what keys cover of them; tests give their own. */
export interface Chain {
  stages: StageFunctions;
  code: (target: TargetRef) => CodeIdentity;
}

/** Runs `floe export` with its parsed arguments. */
export async function run(
  { positionals, values }: Arguments,
  io: Terminal,
  chain?: Chain,
): Promise<ExitCode> {
  if (positionals.length === 0) throw new UsageError('name a model.yaml or a folder: floe export PATH...');
  const until = (values.until as string | undefined) ?? 'export-tflite';
  if (!(STAGE_NAMES as string[]).includes(until)) {
    throw new UsageError(`--until ${until}: there is no such stage${suggest(until, STAGE_NAMES)}`);
  }
  const options: ExportOptions = {
    variants: (values.variant as string[] | undefined) ?? [],
    until: until as StageName,
    force: values.force === true,
    json: values.json === true,
  };
  const find = (): string[] => findModels(positionals, io.cwd);
  if (values.watch === true) return watchModels(find, options, io, chain ?? defaultChain());
  return exportModels(find(), options, io, chain ?? defaultChain());
}

/** Exports, and exports again what changes, until the process is asked to end. */
async function watchModels(
  find: () => string[],
  options: ExportOptions,
  io: Terminal,
  chain: Chain,
): Promise<ExitCode> {
  const { watch } = require('./watch') as typeof import('./watch');
  const stop = new AbortController();
  const end = (): void => stop.abort();
  // Once: whoever does not want to wait for the target that is being made asks a second time.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end);
  const memo = processMemo();
  const exportOptions = { ...options, newsOnly: true, signal: stop.signal };
  try {
    await watch({
      find,
      exportModels: (models) => exportModels(models, exportOptions, io, chain, memo),
      io,
      signal: stop.signal,
    });
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, end);
  }
  return 0;
}

function defaultChain(): Chain {
  const { allStages, codeOf } = require('../stage-packages') as typeof import('../stage-packages');
  return { stages: allStages(), code: codeOf };
}

/** Exports models one after another; each one's result is printed as soon as it is there. */
export async function exportModels(
  models: readonly string[],
  options: ExportOptions,
  io: Terminal,
  chain: Chain,
  memo: Memo = processMemo(),
): Promise<ExitCode> {
  const started = performance.now();
  const results: ExportResult[] = [];
  const known = new Set<string>();
  for (const file of models) {
    if (options.signal?.aborted) break;
    const project = openModel(file);
    const { variants } = project.loaded.outline;
    for (const variant of variants) known.add(variant);
    // As under Nx: a model without the variant has no such target and is left out, unless it cannot be read at all.
    const lacksVariants = options.variants.length > 0 && !options.variants.some((v) => variants.includes(v));
    if (lacksVariants && project.loaded.descriptor) continue;
    const result = await exportModel(project, options, io, chain, memo);
    if (options.signal?.aborted) break;
    results.push(result);
    if (options.json) io.out(`${JSON.stringify(result)}\n`);
    else if (!options.newsOnly) printFiles(result, io);
  }
  if (results.length === 0 && !options.newsOnly) {
    const wanted = options.variants.map((v) => `\`${v}\``).join(' or ');
    throw new UsageError(`no model has a variant ${wanted}${suggest(options.variants[0], [...known])}`);
  }
  const failed = results.filter(({ ok }) => !ok).length;
  if (!options.json && results.length > 1) {
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    io.err(`${results.length - failed} of ${results.length} models exported in ${seconds} s\n`);
  }
  return failed > 0 ? 1 : 0;
}

/** Exports one model. A target that fails takes with it only those that depend on it. */
export async function exportModel(
  project: ModelProject,
  options: ExportOptions,
  io: Terminal,
  { stages, code }: Chain,
  memo: Memo,
): Promise<ExportResult> {
  const started = performance.now();
  const { descriptor, outline } = project.loaded;
  const result: ExportResult = {
    model: project.file,
    ok: true,
    frozen: null,
    tflite: {},
    diagnostics: [],
    ms: 0,
  };
  const say = (target: string, what: RunResult): void => {
    if (options.newsOnly && what.outcome === 'up to date') return;
    if (!options.json) io.err(printResult(outline.name, target, what, io));
  };

  const targets: StageTarget[] = descriptor ? targetsUpTo(descriptor, options.until, options.variants) : [];
  if (!descriptor) {
    const { diagnostics } = project.loaded;
    result.ok = false;
    result.diagnostics.push(...diagnosticsToJson({ diagnostics }));
    say('model.yaml', { outcome: 'failed', diagnostics });
  }
  const failed = new Set<string>();
  for (const target of targets) {
    if (options.signal?.aborted) break;
    if (descriptor && dependenciesOf(descriptor, target).some((name) => failed.has(name))) {
      failed.add(target.target);
      continue;
    }
    const log = (line: string): void => {
      if (!options.json) io.err(`  ${line}\n`);
    };
    const show = (line: string): void => io.err(`  ${line}\n`);
    const progress = options.json ? undefined : nowAndThen(show, PROGRESS_MS);
    const outcome = await runTarget(project, target, stages, {
      code,
      memo,
      force: options.force,
      log,
      progress,
    });
    addOnce(result.diagnostics, diagnosticsToJson(outcome));
    say(target.target, outcome);
    if (outcome.outcome === 'failed') failed.add(target.target);
    else if (target.stage.name === 'freeze') result.frozen = frozenGraph(project.dist);
    else if (target.stage.name === 'export-tflite' && target.variant !== undefined) {
      result.tflite[target.variant] = join(project.dist, target.variant, 'model.tflite');
    }
  }
  result.ok &&= failed.size === 0;
  result.ms = Math.round(performance.now() - started);
  return result;
}

/** What freeze wrote, as its manifest says: a file, or the folder of a SavedModel. */
function frozenGraph(dist: string): string {
  const outputs = readManifest(join(dist, stageOf('freeze').manifest()))?.outputs ?? {};
  const name = Object.hasOwn(outputs, 'graph.pb') ? 'graph.pb' : 'saved_model';
  return join(dist, 'frozen', name);
}

/** Several targets may say the same of a model: what is wrong with model.yaml is wrong for all of them. */
function addOnce(list: DiagnosticJson[], more: readonly DiagnosticJson[]): void {
  const seen = new Set(list.map((d) => JSON.stringify(d)));
  for (const diagnostic of more) if (!seen.has(JSON.stringify(diagnostic))) list.push(diagnostic);
}

/** What a model gave, for people: its files and their sizes. */
function printFiles({ ok, frozen, tflite }: ExportResult, io: Terminal): void {
  const files = Object.values(tflite);
  if (files.length === 0 && frozen && ok) files.push(frozen);
  for (const file of files) {
    const path = relative(io.cwd, file);
    const stat = statSync(file);
    const size = stat.isFile() ? `  ${formatSize(stat.size)}` : '';
    io.out(`${path.startsWith('..') ? file : path}${size}\n`);
  }
}
