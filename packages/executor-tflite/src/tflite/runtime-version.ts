/** Which TFLite runtime a list of operators needs: the newest that any (operator, version) pair came with. */
import { runtimeOf } from './schema';

/** Compares dotted versions: negative when `a` is older. */
export function compareVersions(a: string, b: string): number {
  const x = a.split('.').map(Number);
  const y = b.split('.').map(Number);
  for (let i = 0; i < Math.max(x.length, y.length); i++) {
    const d = (x[i] ?? 0) - (y[i] ?? 0);
    if (d) return d;
  }
  return 0;
}

/** The oldest runtime that has all these operators at these versions; empty for none (custom operators say nothing). */
export function minimumRuntime(codes: readonly { code: string; version: number }[]): string {
  return codes
    .map(({ code, version }) => runtimeOf(code, version) ?? '')
    .reduce((newest, v) => (compareVersions(v || '0', newest || '0') > 0 ? v : newest), '');
}
