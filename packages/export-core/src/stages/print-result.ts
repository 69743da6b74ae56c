/** How the run of a target reads for people: one line, and below it what went wrong. */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { styleText } from 'node:util';
import type { Diagnostic } from '../diagnostics/diagnostic';
import { diagnosticToJson, printDiagnostics, type DiagnosticJson } from '../diagnostics/print';
import type { RunResult } from './run-stage';

export interface ResultStyle {
  /** Whether a terminal reads this. */
  color: boolean;
  /** Paths are shown relative to this folder. */
  cwd: string;
}

const WHERE_TO_REPORT = 'this is a fault in Floe: please report it, with the model if you can share it';

/** `✔ resnet freeze  graph.pb, 1.9 MB`, with diagnostics below it; ends in a newline. */
export function printResult(model: string, target: string, result: RunResult, style: ResultStyle): string {
  const { outcome, summary, diagnostics, internalError } = result;
  const paint = (format: Parameters<typeof styleText>[0], text: string): string =>
    style.color ? styleText(format, text, { validateStream: false } as never) : text;
  const mark = outcome === 'failed' ? paint('red', '✖') : paint('green', '✔');
  const said = [
    outcome === 'failed' ? undefined : summary,
    outcome === 'up to date' ? 'up to date' : undefined,
  ];
  const line = [`${mark} ${paint('bold', model)} ${target}`, said.filter(Boolean).join(', ')];
  const details = diagnostics.length > 0 ? indent(printForPeople(diagnostics, style)) : '';
  const internal = internalError ? indent(printInternalError(internalError, style.color)) : '';
  return `${line.filter(Boolean).join('  ')}\n${details}${internal}`;
}

/** Diagnostics with the lines of model.yaml that they are about. */
export function printForPeople(diagnostics: readonly Diagnostic[], { color, cwd }: ResultStyle): string {
  return printDiagnostics(diagnostics, {
    color,
    source: textOf,
    fileName: (file) => {
      const short = relative(cwd, file);
      return short === '' || short.startsWith('..') ? file : short;
    },
  });
}

/** A fault in Floe: what it is and where to report it; its stack only under FLOE_DEBUG=1. */
export function printInternalError(error: Error, color: boolean): string {
  // Node adds a stack of its own to some messages ("Require stack: …").
  const head = `internal error: ${error.message.split('\n', 1)[0]}`;
  const stack = process.env.FLOE_DEBUG === '1' ? error.stack : 'FLOE_DEBUG=1 shows where it happened';
  return `${color ? `\x1b[1;31m${head}\x1b[0m` : head}\n  ${WHERE_TO_REPORT}\n  ${stack}\n`;
}

/** What went wrong, for programs; a fault in Floe has the code INTERNAL. */
export function diagnosticsToJson({
  diagnostics,
  internalError,
}: Pick<RunResult, 'diagnostics' | 'internalError'>): DiagnosticJson[] {
  const list: DiagnosticJson[] = diagnostics.map(diagnosticToJson);
  if (internalError) {
    list.push({ code: 'INTERNAL', severity: 'error', message: internalError.message, hint: WHERE_TO_REPORT });
  }
  return list;
}

/** Sizes as people read them: 1.9 MB. */
export function formatSize(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const units = ['kB', 'MB', 'GB', 'TB'];
  let value = bytes / 1000;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** Only texts as small as a model.yaml are read for their lines: places may be in checkpoints too. */
function textOf(file: string): string | undefined {
  if (!/\.ya?ml$/.test(file)) return undefined;
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, '  ');
}
