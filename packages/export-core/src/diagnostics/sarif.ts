/** Diagnostics as SARIF 2.1.0, so that a CI shows them at the lines of a pull request. */
import { CODES, type Code } from './codes';
import type { Diagnostic, Severity } from './diagnostic';
import { explanationOf, explanationText } from './explanations';

const LEVELS: Record<Severity, string> = { error: 'error', warning: 'warning', note: 'note' };

/**
 * One run with a result a diagnostic, in order, and a rule with help for each code that occurs.
 *
 * @param base what the files' names are relative to: `%SRCROOT%`, the repository, or a name of the caller's own
 */
export function diagnosticsToSarif(list: readonly Diagnostic[], base?: string): Record<string, unknown> {
  const codes = [...new Set(list.map((d) => d.code))].sort();
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'Floe', rules: codes.map(rule) } },
        results: list.map((d) => ({
          ruleId: d.code,
          ruleIndex: codes.indexOf(d.code),
          level: LEVELS[d.severity],
          message: { text: d.hint ? `${d.message}\n${d.hint}` : d.message },
          ...locations(d, base),
        })),
      },
    ],
  };
}

function rule(id: Code): Record<string, unknown> {
  const { cause } = explanationOf(id);
  return {
    id,
    shortDescription: { text: CODES[id] },
    fullDescription: { text: cause },
    help: { text: explanationText(id), markdown: explanationText(id, true) },
  };
}

function locations({ where, node }: Diagnostic, base: string | undefined): Record<string, unknown> {
  if (!where && !node) return {};
  const region = where?.line && {
    startLine: where.line,
    ...(where.column ? { startColumn: where.column } : {}),
    ...(where.column && where.length ? { endColumn: where.column + where.length } : {}),
  };
  const physical = where && {
    artifactLocation: { uri: uriOf(where.file), ...(base ? { uriBaseId: base } : {}) },
    ...(region ? { region } : {}),
  };
  const logical = [
    ...(where?.path !== undefined ? [{ fullyQualifiedName: where.path, kind: 'member' }] : []),
    ...(node ? [{ fullyQualifiedName: node, kind: 'object' }] : []),
  ];
  return {
    locations: [
      {
        ...(physical ? { physicalLocation: physical } : {}),
        ...(logical.length ? { logicalLocations: logical } : {}),
      },
    ],
  };
}

/** A path as a URI reference: forward slashes, everything else escaped. */
function uriOf(file: string): string {
  return file.replace(/\\/g, '/').split('/').map(encodeURIComponent).join('/').replace(/%3A/g, ':');
}
