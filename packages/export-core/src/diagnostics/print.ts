/** Diagnostics for people (text with the line and a caret) and for programs (JSON). */
import type { Diagnostic, Place, Severity } from './diagnostic';

export interface PrintOptions {
  /** ANSI colours. The caller knows whether a terminal reads this and whether NO_COLOR is set. */
  color?: boolean;
  /** The text of a file that places are in, where it is at hand: its lines are then shown. */
  source?: (file: string) => string | undefined;
  /** The form in which a file is named; default: as it is. */
  fileName?: (file: string) => string;
}

const ORDER: readonly Severity[] = ['error', 'warning', 'note'];
/** Characters of a source line that are shown around the caret. */
const LINE_WIDTH = 100;

const STYLES = { error: '1;31', warning: '1;33', note: '1;36', bold: '1', faint: '2', hint: '32' } as const;

/** Everything to say about some diagnostics, errors first; an empty text when there are none. */
export function printDiagnostics(list: readonly Diagnostic[], options: PrintOptions = {}): string {
  if (list.length === 0) return '';
  const groups = ORDER.map((severity) => list.filter((d) => d.severity === severity));
  const texts = groups.flat().map((d) => printOne(d, options));
  return `${texts.join('\n\n')}\n\n${summary(groups)}\n`;
}

/** "2 errors, 1 note" */
function summary(groups: readonly Diagnostic[][]): string {
  return groups
    .flatMap(({ length }, i) => (length === 0 ? [] : [`${length} ${ORDER[i]}${length === 1 ? '' : 's'}`]))
    .join(', ');
}

function printOne(diagnostic: Diagnostic, options: PrintOptions): string {
  const { code, severity, message, hint, where, node } = diagnostic;
  const style = (name: keyof typeof STYLES, text: string): string =>
    options.color ? `\x1b[${STYLES[name]}m${text}\x1b[0m` : text;
  const lines = [`${style(severity, `${severity} ${code}`)}${style('bold', `: ${visible(message)}`)}`];
  if (where) {
    const at = [options.fileName?.(where.file) ?? where.file, where.line, where.column];
    lines.push(`  ${style('faint', 'at')} ${visible(at.filter((part) => part !== undefined).join(':'))}`);
    lines.push(
      ...excerpt(
        where,
        options.source,
        (text) => style('faint', text),
        (text) => style(severity, text),
      ),
    );
  }
  if (node !== undefined) lines.push(`  ${style('faint', 'node')} ${visible(node)}`);
  if (hint !== undefined) lines.push(`  ${style('hint', 'hint')} ${visible(hint)}`);
  return lines.join('\n');
}

function excerpt(
  { file, line, column, length }: Place,
  source: PrintOptions['source'],
  faint: (text: string) => string,
  mark: (text: string) => string,
): string[] {
  if (line === undefined) return [];
  const text = source?.(file)?.split(/\r?\n/)[line - 1];
  if (text === undefined) return [];
  const gutter = ' '.repeat(String(line).length);
  const from = Math.max(0, (column ?? 1) - 1 - LINE_WIDTH / 2);
  const shown = text.slice(from, from + LINE_WIDTH);
  const cut = from > 0 ? '…' : '';
  const lines = [`  ${faint(`${line} |`)} ${cut}${visible(shown)}`.trimEnd()];
  if (column !== undefined) {
    // Measured on what is printed: a control character takes more room there than in the file.
    const before = visible(text.slice(from, column - 1));
    const under = visible(shown.slice(column - 1 - from, column - 1 - from + (length ?? 1)));
    const indent = ' '.repeat([...cut, ...before].length);
    lines.push(`  ${faint(`${gutter} |`)} ${indent}${mark('^'.repeat(Math.max(1, [...under].length)))}`);
  }
  return lines;
}

/**
 * Text from a file that is safe on a terminal: tabs become a space, other control characters (escape sequences
 * could rewrite what was printed) and direction marks are written out.
 */
function visible(text: string): string {
  return text.replaceAll('\t', ' ').replace(
    // eslint-disable-next-line no-control-regex
    /[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** A diagnostic's one form in JSON, with its keys always in this order. */
export interface DiagnosticJson {
  code: string;
  severity: Severity;
  message: string;
  hint?: string;
  node?: string;
  where?: Place;
}

export function diagnosticToJson({ code, severity, message, hint, node, where }: Diagnostic): DiagnosticJson {
  return {
    code,
    severity,
    message,
    ...(hint !== undefined && { hint }),
    ...(node !== undefined && { node }),
    ...(where && { where }),
  };
}
