/**
 * The reports of validate: `report.json` for programs, `report.sarif` for a CI that annotates pull requests.
 *
 * Artefacts of a run that succeeded are cached, and their key covers neither comments of model.yaml nor where the
 * project lies: they name places by path within model.yaml (`inputs[0].tensor`), never by line. The report of a run
 * that failed is never cached: it has lines, and its files are named from the workspace.
 */
import { existsSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import {
  diagnosticToJson,
  diagnosticsToSarif,
  type Diagnostic,
  type DiagnosticJson,
  type Place,
  type Severity,
} from '@floe/export-core';

export interface ValidationReport {
  /** Whether nothing is in the way of the export. */
  ok: boolean;
  counts: Record<Severity, number>;
  diagnostics: DiagnosticJson[];
}

/** Both files' texts. */
export function reports(list: readonly Diagnostic[], root: string): { json: string; sarif: string } {
  const counts = { error: 0, warning: 0, note: 0 };
  for (const { severity } of list) counts[severity]++;
  const ok = counts.error === 0;
  const base = ok ? root : workspaceOf(root);
  const places = list.map((d) => ({ ...d, ...(d.where && { where: placeIn(d.where, base, ok) }) }));
  const report: ValidationReport = { ok, counts, diagnostics: places.map(diagnosticToJson) };
  const sarif = diagnosticsToSarif(places, ok ? 'PROJECTROOT' : '%SRCROOT%');
  return { json: `${JSON.stringify(report, null, 2)}\n`, sarif: `${JSON.stringify(sarif, null, 2)}\n` };
}

function placeIn({ file, line, column, length, path }: Place, base: string, cached: boolean): Place {
  const short = relative(base, file);
  const name = short.startsWith('..') ? file.slice(dirname(file).length + 1) : short.split(sep).join('/');
  const lines = cached ? {} : { line, column, length };
  return { file: name, ...dropUndefined(lines), ...(path !== undefined && { path }) };
}

function dropUndefined<T extends object>(object: T): Partial<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Partial<T>;
}

/** The nearest folder above that is an Nx workspace or a repository; the project's own where there is none. */
function workspaceOf(root: string): string {
  for (let folder = root; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'nx.json')) || existsSync(join(folder, '.git'))) return folder;
    if (dirname(folder) === folder) return root;
  }
}
