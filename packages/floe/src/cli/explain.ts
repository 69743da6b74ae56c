/** `floe explain`: what a diagnostic's code means, from the table that docs/diagnostics.md is made of. */
import { CODES, codeNamed, explanationOf, explanationText, nearest, type Code } from '@floe/export-core';
import { table, UsageError, type Arguments, type Command } from './arguments';
import type { ExitCode } from './main';
import type { Terminal } from './terminal';

export const command: Command = {
  usage: 'floe explain [CODE...]',
  purpose: 'Explains a diagnostic: its cause, an example, and the cure.',
  details: `CODE is what stands before a message, as G001. Without one, all codes are listed.

Examples:
  floe explain G001
  floe explain T006 T004

Exit code: 0, or 2 where there is no such code.`,
  options: {
    json: { type: 'boolean', help: 'Print one JSON line a code' },
  },
};

/** Runs `floe explain` with its parsed arguments. */
export async function run({ positionals, values }: Arguments, io: Terminal): Promise<ExitCode> {
  const codes = positionals.map(codeOrThrow);
  if (values.json === true) {
    const all = codes.length ? codes : (Object.keys(CODES) as Code[]);
    for (const code of all)
      io.out(`${JSON.stringify({ code, title: CODES[code], ...explanationOf(code) })}\n`);
    return 0;
  }
  if (codes.length === 0) {
    io.out(table(Object.entries(CODES)));
    return 0;
  }
  io.out(codes.map((code) => `${code}: ${CODES[code]}\n\n${explanationText(code)}\n`).join('\n'));
  return 0;
}

function codeOrThrow(text: string): Code {
  const code = codeNamed(text);
  if (code) return code;
  const near = nearest(text.toUpperCase(), Object.keys(CODES), 3);
  const hint = near.length ? `: did you mean ${near.join(' or ')}?` : '; `floe explain` lists them';
  throw new UsageError(`there is no code \`${text}\`${hint}`);
}
