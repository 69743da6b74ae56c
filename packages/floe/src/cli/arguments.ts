/** Command line arguments: checked against one table per command, which is also what `--help` prints. */
import { parseArgs, type ParseArgsConfig } from 'node:util';

/** A mistake in how the command was called: exit code 2. */
export class UsageError extends Error {}

export interface Option {
  type: 'boolean' | 'string';
  multiple?: boolean;
  /** What stands for its value in the help, as NAME. */
  value?: string;
  help: string;
}

export interface Command {
  /** `floe export PATH...` */
  usage: string;
  /** One sentence. */
  purpose: string;
  /** Further text of the help. */
  details: string;
  options: Record<string, Option>;
}

export interface Arguments {
  help: boolean;
  positionals: string[];
  /** By option name; lists for those that may be given several times. */
  values: Record<string, string | boolean | (string | boolean)[] | undefined>;
}

const HELP: Option = { type: 'boolean', help: 'This help' };

/**
 * Reads a command's arguments.
 *
 * @throws UsageError with what is wrong and the nearest right option
 */
export function parseArguments(args: string[], command: Command): Arguments {
  const options: NonNullable<ParseArgsConfig['options']> = { help: { type: 'boolean', short: 'h' } };
  for (const [name, { type, multiple }] of Object.entries(command.options)) {
    options[name] = { type, multiple: multiple ?? false };
  }
  const names = Object.keys(options);
  try {
    // `--no-…` and values without `=` behave as in Node's own tools.
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true, strict: true });
    return { help: values.help === true, positionals, values: values as Arguments['values'] };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (!code?.startsWith('ERR_PARSE_ARGS')) throw error;
    const unknown = /Unknown option '-{1,2}([^']+)'/.exec(message)?.[1];
    const sentence = message.split(/\. |\n/, 1)[0].replace(/\.$/, '');
    throw new UsageError(unknown === undefined ? sentence : `${sentence}${suggest(unknown, names, '--')}`);
  }
}

/** ": did you mean `--json`?", or nothing. */
export function suggest(word: string, names: readonly string[], prefix = ''): string {
  // Only where there is something wrong: the core takes its time to load.
  const { nearest } = require('@floe/export-core') as typeof import('@floe/export-core');
  const [best] = nearest(word, names, 1);
  return best === undefined ? '' : `: did you mean \`${prefix}${best}\`?`;
}

/** The text of `floe COMMAND --help`. */
export function helpText({ usage, purpose, details, options }: Command): string {
  const rows = Object.entries({ ...options, help: HELP }).map(([name, option]): [string, string] => [
    option.type === 'string' ? `--${name} ${option.value ?? 'VALUE'}` : `--${name}`,
    option.help + (option.multiple ? ' (may be given several times)' : ''),
  ]);
  return `${purpose}\n\nUsage: ${usage}\n\n${details.trim()}\n\nOptions:\n${table(rows)}`;
}

/** Two columns. */
export function table(rows: readonly [string, string][]): string {
  if (rows.length === 0) return '';
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}\n`).join('');
}
