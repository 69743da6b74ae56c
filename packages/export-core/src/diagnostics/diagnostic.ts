/** What Floe tells a user: always a code, a place, the cause and, where there is one, the cure. */
import type { Code } from './codes';

export type Severity = 'error' | 'warning' | 'note';

/** A place in a text file; lines and columns count from 1. */
export interface Place {
  file: string;
  line?: number;
  column?: number;
  /** Characters to underline from `column` on. */
  length?: number;
  /** The place within model.yaml that does not move when a comment does: `inputs[0].tensor`. */
  path?: string;
}

export interface Diagnostic {
  code: Code;
  severity: Severity;
  /** One sentence: what is wrong and why. */
  message: string;
  /** What to do, as something to type where that can be. */
  hint?: string;
  /** Where in model.yaml (or another text file). */
  where?: Place;
  /** The node or tensor of the graph it is about. */
  node?: string;
}

/** Thrown where going on makes no sense; carries everything found so far. Never an internal error. */
export class FloeError extends Error {
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: Diagnostic | readonly Diagnostic[]) {
    const list = 'code' in diagnostics ? [diagnostics] : diagnostics;
    super(list.map((d) => `${d.code}: ${d.message}`).join('\n'));
    this.name = 'FloeError';
    this.diagnostics = list;
  }
}

/** Collects diagnostics in the order they are found, each only once. */
export class Diagnostics {
  readonly list: Diagnostic[] = [];
  private readonly seen = new Set<string>();

  add(diagnostic: Diagnostic): void {
    const key = JSON.stringify(diagnostic);
    if (this.seen.has(key)) return;
    this.seen.add(key);
    this.list.push(diagnostic);
  }

  addAll(diagnostics: Iterable<Diagnostic>): void {
    for (const d of diagnostics) this.add(d);
  }

  error(
    code: Code,
    message: string,
    more: Omit<Partial<Diagnostic>, 'code' | 'message' | 'severity'> = {},
  ): void {
    this.add({ code, severity: 'error', message, ...more });
  }

  warning(
    code: Code,
    message: string,
    more: Omit<Partial<Diagnostic>, 'code' | 'message' | 'severity'> = {},
  ): void {
    this.add({ code, severity: 'warning', message, ...more });
  }

  note(
    code: Code,
    message: string,
    more: Omit<Partial<Diagnostic>, 'code' | 'message' | 'severity'> = {},
  ): void {
    this.add({ code, severity: 'note', message, ...more });
  }

  get hasErrors(): boolean {
    return this.list.some((d) => d.severity === 'error');
  }

  /** Throws everything found so far when there is an error among it. */
  throwIfErrors(): void {
    if (this.hasErrors) throw new FloeError(this.list);
  }
}
