/** The `floe` command: finds the subcommand, loads only that, and ends with its exit code. */
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { helpText, parseArguments, suggest, table, UsageError, type Command } from './arguments';
import { processTerminal, type Terminal } from './terminal';

/** 0 all is well, 1 something failed, 2 the command was called wrongly. */
export type ExitCode = 0 | 1 | 2;

interface Subcommand {
  summary: string;
  load(): { command: Command; run(args: ReturnType<typeof parseArguments>, io: Terminal): Promise<ExitCode> };
}

const SUBCOMMANDS: Record<string, Subcommand> = {
  export: {
    summary: 'Exports models: checkpoint to .tflite, for each model.yaml',
    load: () => require('./export') as typeof import('./export'),
  },
  inspect: {
    summary: 'Says what a checkpoint, SavedModel, graph or .tflite holds',
    load: () => require('./inspect') as typeof import('./inspect'),
  },
  explain: {
    summary: 'Says what the code of a message means, and what to do',
    load: () => require('./explain') as typeof import('./explain'),
  },
};

/** Runs the command and sets the exit code of the process. */
export async function main(args: string[]): Promise<void> {
  // A reader that has seen enough (`floe inspect … | head`) is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
    throw error;
  });
  const io = processTerminal();
  process.on('uncaughtException', (error) => {
    reportFault(error, io);
    process.exit(1);
  });
  process.exitCode = await runCommand(args, io);
}

/** The same on any terminal; returns the exit code. */
export async function runCommand(args: string[], io: Terminal): Promise<ExitCode> {
  const [name, ...rest] = args;
  try {
    if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
      const asked = name === 'help' && rest.length > 0 ? subcommand(rest[0]) : undefined;
      (name === undefined ? io.err : io.out)(asked ? helpText(asked.load().command) : overview());
      return name === undefined ? 2 : 0;
    }
    if (name === '--version' || name === '-v') {
      io.out(`${version()}\n`);
      return 0;
    }
    const { command, run } = subcommand(name).load();
    const parsed = parseArguments(rest, command);
    if (parsed.help) {
      io.out(helpText(command));
      return 0;
    }
    return await run(parsed, io);
  } catch (error) {
    if (error instanceof UsageError) {
      io.err(`floe: ${error.message}\n`);
      return 2;
    }
    reportFault(error, io);
    return 1;
  }
}

function reportFault(error: unknown, io: Terminal): void {
  const core = require('@floe/export-core') as typeof import('@floe/export-core');
  const { diagnostics, internalError } = core.failure(error);
  if (diagnostics.length > 0) io.err(core.printForPeople(diagnostics, io));
  if (internalError) io.err(core.printInternalError(internalError, io.color));
}

function subcommand(name: string): Subcommand {
  if (Object.hasOwn(SUBCOMMANDS, name)) return SUBCOMMANDS[name];
  const kind = name.startsWith('-') ? 'option' : 'command';
  const hint = suggest(name, Object.keys(SUBCOMMANDS)) || '; see `floe --help`';
  throw new UsageError(`unknown ${kind} \`${name}\`${hint}`);
}

function overview(): string {
  const rows = Object.entries(SUBCOMMANDS).map(([name, { summary }]): [string, string] => [name, summary]);
  return (
    `Floe ${version()}: TensorFlow models to .tflite, without Python\n\n` +
    `Usage: floe COMMAND [options]\n\nCommands:\n${table(rows)}\n` +
    `Examples:\n  floe export models/resnet                 dist/float/model.tflite and its like, without Nx\n` +
    '  floe inspect ckpt/model.ckpt-10           what a checkpoint holds, before there is a model.yaml\n' +
    '  floe explain G001                         what a message means\n\n' +
    'Exit code: 0 all is well, 1 something failed, 2 called wrongly.\n' +
    'floe COMMAND --help says more. In an Nx workspace, prefer its cached targets: nx run MODEL:export-tflite\n'
  );
}

function version(): string {
  const file = join(__dirname, '..', '..', 'package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
