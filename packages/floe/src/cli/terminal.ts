/** Where the command writes, and how. */

export interface Terminal {
  /** Results. */
  out(text: string): void;
  /** Progress, problems, everything for people only. */
  err(text: string): void;
  /** Whether people read `err` on a terminal that shows colours. */
  color: boolean;
  cwd: string;
}

/** The streams of this process; NO_COLOR and FORCE_COLOR count as everywhere. */
export function processTerminal(): Terminal {
  const { NO_COLOR, FORCE_COLOR } = process.env;
  const forced = FORCE_COLOR !== undefined && FORCE_COLOR !== '0';
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    color: forced || (process.stderr.isTTY === true && !NO_COLOR),
    cwd: process.cwd(),
  };
}
