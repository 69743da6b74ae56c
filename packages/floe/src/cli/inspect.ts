import type { Arguments, Command } from './arguments';
import type { ExitCode } from './main';
import type { Terminal } from './terminal';

export const command: Command = { usage: '', purpose: '', details: '', options: {} };

export async function run(_args: Arguments, _io: Terminal): Promise<ExitCode> {
  return 1;
}
