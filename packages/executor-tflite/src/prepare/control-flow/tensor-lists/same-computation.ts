/** Whether two values are computed alike: the same ops of the same values. */
import type { Attr, Value } from '@floe/export-core';

/** Deep enough for a size taken from a shape; two large computations are not compared to their ends. */
const MAX_DEPTH = 8;

export function sameComputation(a: Value, b: Value, depth = 0): boolean {
  if (a === b) return true;
  const [x, y] = [a.node, b.node];
  if (depth >= MAX_DEPTH || a.index !== b.index || x.op !== y.op || x.inputs.length !== y.inputs.length)
    return false;
  const [p, q] = [x.constant, y.constant];
  if (p && q)
    return (
      p.dtype === q.dtype &&
      p.size === q.size &&
      p.size <= 64 &&
      String(p.toNumbers()) === String(q.toNumbers())
    );
  if (x.def?.stateful !== false || x.inputs.length === 0) return false;
  for (const { name } of x.def.attrs) if (text(x.attr(name)) !== text(y.attr(name))) return false;
  return x.inputs.every((value, i) => sameComputation(value, y.inputs[i], depth + 1));
}

function text(attr: Attr | undefined): string {
  return (
    JSON.stringify(attr, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)) ?? ''
  );
}
