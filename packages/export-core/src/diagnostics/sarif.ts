/** Diagnostics as SARIF 2.1.0, so that a CI shows them at the lines of a pull request. */
import { CODES } from './codes';
import type { Diagnostic, Severity } from './diagnostic';

const LEVELS: Record<Severity, string> = { error: 'error', warning: 'warning', note: 'note' };

/**
 * One run with a result a diagnostic, in order. Paths of places are made relative to `root` by the caller's reader:
 * they are written as they stand in the diagnostics.
 */
export function diagnosticsToSarif(list: readonly Diagnostic[]): Record<string, unknown> {
  const codes = [...new Set(list.map((d) => d.code))].sort();
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'Floe',
            rules: codes.map((id) => ({ id, shortDescription: { text: CODES[id] } })),
          },
        },
        results: list.map((d) => ({
          ruleId: d.code,
          level: LEVELS[d.severity],
          message: { text: d.hint ? `${d.message}\n${d.hint}` : d.message },
          ...locations(d),
        })),
      },
    ],
  };
}

function locations({ where, node }: Diagnostic): Record<string, unknown> {
  if (!where && !node) return {};
  const physical = where && {
    artifactLocation: { uri: where.file.replace(/\\/g, '/') },
    ...(where.line ? { region: { startLine: where.line, ...(where.column ? { startColumn: where.column } : {}) } } : {}),
  };
  return {
    locations: [
      {
        ...(physical ? { physicalLocation: physical } : {}),
        ...(node ? { logicalLocations: [{ fullyQualifiedName: node, kind: 'object' }] } : {}),
      },
    ],
  };
}
