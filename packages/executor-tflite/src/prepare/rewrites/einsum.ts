/**
 * Einsum as one batched matrix product:
 *
 *   sum what stands in one operand only → [batch…, left…, k] · [batch…, k, right…] → order of the output
 *
 * Axes that already stand as BatchMatMul wants them, transposed or not, are left where they are.
 */
import { attr, type Dim, type Node, type Value } from '@floe/export-core';
import { product, range, reshape, sizeOf, transpose, type Size } from '../dims';
import type { Rewriter, RewriteTable } from '../rewrite';

interface Operand {
  value: Value;
  /** One letter an axis; the axes of `...` are digits, counted from the right. */
  labels: string[];
}

/** The letters of a term, `...` replaced by as many digits as the operand has axes there. */
function labelsOf(term: string, rank: number): string[] | undefined {
  const [before, after] = term.split('...');
  if (after === undefined) return before.length === rank ? [...before] : undefined;
  const count = rank - before.length - after.length;
  return count < 0 ? undefined : [...before, ...range(count).map((i) => String(count - 1 - i)), ...after];
}

/** Sums over axes that stand neither in the other operand nor in the output. */
function summed(b: Rewriter, { value, labels }: Operand, kept: Set<string>): Operand {
  const axes = labels.flatMap((l, i) => (kept.has(l) ? [] : [i]));
  if (!axes.length) return { value, labels };
  return { value: b.op('Sum', [value, axes]), labels: labels.filter((l) => kept.has(l)) };
}

function einsum(node: Node, b: Rewriter): Value[] | undefined {
  const [left, right] = node.string('equation').replace(/ /g, '').split('->');
  const terms = left.split(',');
  const operands: Operand[] = [];
  for (const [i, value] of node.inputs.entries()) {
    const labels = value.shape ? labelsOf(terms[i], value.shape.length) : undefined;
    if (!labels || new Set(labels).size !== labels.length) return undefined;
    operands.push({ value, labels });
  }
  const inner = operands.reduce((n, o) => Math.max(n, o.labels.filter((l) => /\d/.test(l)).length), 0);
  const output = right.includes('...') ? labelsOf(right, right.length - 3 + inner)! : [...right];
  if (operands.length === 1) {
    const only = summed(b, operands[0], new Set(output));
    return [
      transpose(
        b,
        only.value,
        output.map((l) => only.labels.indexOf(l)),
      ),
    ];
  }
  if (operands.length !== 2) return undefined;
  return [multiplied(b, operands as [Operand, Operand], output)];
}

/** One side of the product: its axes in the order wanted, and which of them become one. */
interface Side {
  operand: Operand;
  order: string[];
  /** The axis of the sum stands where the other operand would have it. */
  swapped: boolean;
  groups: string[][];
}

interface Plan {
  left: Side;
  right: Side;
  /** The axes of the product, in groups. */
  groups: string[][];
  /** Operators it takes, about. */
  cost: number;
}

const isConstant = ({ value }: Operand) => value.node.constant !== undefined;

const labelled = (x: Operand, label: string): Dim => x.value.shape![x.labels.indexOf(label)];

/** Where each group is one axis, nothing is reshaped; where several sizes are unknown, they are computed first. */
function reshapeCost(groups: string[][], result: Dim[]): number {
  if (groups.every((g) => g.length === 1)) return 0;
  return result.filter((d) => d === null).length > 1 ? 4 : 1;
}

/** The axes in another order: true when that takes a TRANSPOSE. */
const moves = (labels: string[], order: string[]) => labels.join() !== order.join();

/** What BATCH_MATMUL takes in front of a matrix. */
const MAX_BATCH = 3;

/** Axes of the batch, apart while the kernel takes them; those of `...` must stay apart, for they broadcast. */
function heads(batch: string[]): string[][] {
  return batch.length > MAX_BATCH && !batch.some(isBroadcast) ? [batch] : batch.map((l) => [l]);
}

function side(operand: Operand, batch: string[], rows: string[], columns: string[]): Side {
  const own = batch.filter((l) => operand.labels.includes(l));
  const straight = [...own, ...rows, ...columns];
  const turned = [...own, ...columns, ...rows];
  const swapped = moves(operand.labels, straight) && !moves(operand.labels, turned);
  const inner = swapped ? [columns, rows] : [rows, columns];
  return { operand, order: swapped ? turned : straight, swapped, groups: [...heads(own), ...inner] };
}

/** The left operand of a product without a batch, whose free axes stay apart: all but the last are a batch of its own. */
function rowsApart(operand: Operand, rows: string[], k: string[]): Side {
  const straight = [...rows, ...k];
  const turned = [...rows.slice(0, -1), ...k, ...rows.slice(-1)];
  const swapped = k.length === 1 && moves(operand.labels, straight) && !moves(operand.labels, turned);
  const groups = swapped ? turned.map((l) => [l]) : [...rows.map((l) => [l]), k];
  return { operand, order: swapped ? turned : straight, swapped, groups };
}

/** What is done to a constant is done before. */
function sideCost({ operand, order, groups }: Side): number {
  if (isConstant(operand)) return 0;
  const sizes = groups.map((g) => (g.some((l) => labelled(operand, l) === null) ? null : 0));
  return (moves(operand.labels, order) ? 1 : 0) + reshapeCost(groups, sizes);
}

/** The product of `x` and `y` with the batch in the given order. */
function plan(x: Operand, y: Operand, output: string[], batch: string[]): Plan {
  // The axes of a constant stand as the others want them.
  const { labels } = isConstant(x) ? y : x;
  const k = labels.filter((l) => x.labels.includes(l) && y.labels.includes(l) && !output.includes(l));
  const free = (o: Operand) =>
    (isConstant(o) ? output : o.labels).filter(
      (l) => o.labels.includes(l) && !batch.includes(l) && !k.includes(l),
    );
  const [freeX, freeY] = [free(x), free(y)];
  const flat = side(x, batch, freeX, k);
  const apart = !batch.length && freeX.length > 1 && freeX.length <= MAX_BATCH + 1 && !flat.swapped;
  const left = apart ? rowsApart(x, freeX, k) : flat;
  const right = side(y, batch, k, freeY);
  const groups = [...heads(batch), ...(apart ? freeX.map((l) => [l]) : [freeX]), freeY];
  const order = groups.flat();
  const sizes = order.map((l) => labelled(x.labels.includes(l) ? x : y, l));
  const after = reshapeCost(groups, sizes) + (moves(order, output) ? 1 : 0);
  // Weights stand on the right, where they make a layer of the product.
  const turned = isConstant(x) ? 1 : 0;
  return { left, right, groups, cost: sideCost(left) + sideCost(right) + after + turned };
}

/**
 * Orders in which the axes of the result that both operands have may stand in front. Those of `...` may be missing
 * in one of them: at the very front, because operands are aligned at their ends.
 */
function batches(x: Operand, y: Operand, output: string[]): string[][] {
  const inBoth = (l: string) => x.labels.includes(l) && y.labels.includes(l);
  const both = output.filter(inBoth);
  const wider = output.filter((l) => inBoth(l) || isBroadcast(l));
  const ordered = [both, wider].flatMap((batch) =>
    [output, x.labels, y.labels].map((labels) => labels.filter((l) => batch.includes(l))),
  );
  const aligned = (batch: string[], o: Operand) => {
    const own = batch.filter((l) => o.labels.includes(l));
    return !moves(own, batch.slice(batch.length - own.length));
  };
  return ordered.filter(
    (batch) => both.every((l) => batch.includes(l)) && aligned(batch, x) && aligned(batch, y),
  );
}

/** An operand without the axes of `...` along which it has one element and the other is broadcast over. */
function squeezed(b: Rewriter, x: Operand, other: Operand): Operand {
  const kept = x.labels.filter((l) => !(isBroadcast(l) && other.labels.includes(l) && labelled(x, l) === 1));
  if (kept.length === x.labels.length) return x;
  const sizes = kept.map((l) => sizeOf(b, x.value, x.labels.indexOf(l)));
  return { value: reshape(b, x.value, sizes), labels: kept };
}

/** Axes of `...`: they broadcast, also where one operand has fewer of them. */
const isBroadcast = (label: string) => /\d/.test(label);

/** The cheapest plan: either operand on the left, its batch in any order, axes of size 1 with and without. */
function cheapest(b: Rewriter, x: Operand, y: Operand, output: string[]): Plan {
  const narrowX = squeezed(b, x, y);
  const narrowY = squeezed(b, y, narrowX);
  const extra = [narrowX !== x, narrowY !== y].filter(Boolean).length;
  const pairs: [Operand, Operand, number][] = [[x, y, 0]];
  if (extra) pairs.push([narrowX, narrowY, extra]);
  const plans = pairs.flatMap(([p, q, before]) =>
    batches(p, q, output)
      .flatMap((batch) => [plan(p, q, output, batch), plan(q, p, output, batch)])
      .map((found) => ({ ...found, cost: found.cost + before })),
  );
  return plans.reduce((best, next) => (next.cost < best.cost ? next : best));
}

function multiplied(b: Rewriter, [p, q]: [Operand, Operand], output: string[]): Value {
  const x = summed(b, p, new Set([...output, ...q.labels]));
  const y = summed(b, q, new Set([...output, ...p.labels]));
  const { left, right, groups } = cheapest(b, x, y, output);
  const operands = [left, right].map(({ operand, order, groups: parts }) => {
    const size = (l: string) => sizeOf(b, operand.value, operand.labels.indexOf(l));
    const moved = transpose(
      b,
      operand.value,
      order.map((l) => operand.labels.indexOf(l)),
    );
    return grouped(b, moved, parts, size);
  });
  const adjoint = { adj_x: attr.bool(left.swapped), adj_y: attr.bool(right.swapped) };
  const product2 = b.op('BatchMatMulV2', operands, adjoint);
  const size = (l: string): Size => {
    const of = [left.operand, right.operand].filter((o) => o.labels.includes(l));
    // What broadcasts has its size in the product only.
    const at = groups.findIndex((g) => g[0] === l);
    if (isBroadcast(l) && of.length > 1) return sizeOf(b, product2, at);
    const known = of.find((o) => labelled(o, l) !== null) ?? of[0];
    return sizeOf(b, known.value, known.labels.indexOf(l));
  };
  const order = groups.flat();
  const apart = groups.every((g) => g.length === 1) ? product2 : reshape(b, product2, order.map(size));
  return transpose(
    b,
    apart,
    output.map((l) => order.indexOf(l)),
  );
}

/** Axes that stand side by side made one; none of them as one of size 1. */
function grouped(b: Rewriter, x: Value, groups: string[][], size: (label: string) => Size): Value {
  if (groups.every((g) => g.length === 1)) return x;
  return reshape(
    b,
    x,
    groups.map((g) => (g.length === 1 ? size(g[0]) : product(b, g.map(size)))),
  );
}

export const table: RewriteTable = {
  Einsum: (_, node, b) => einsum(node, b),
};
