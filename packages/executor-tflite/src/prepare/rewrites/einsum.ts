/**
 * Einsum as one batched matrix product:
 *
 *   sum what stands in one operand only → [batch…, left…, k] · [batch…, k, right…] → order of the output
 *
 * Axes that already stand as BatchMatMul wants them, transposed or not, are left where they are.
 */
import { attr, type Node, type Value } from '@floe/export-core';
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

const within = (labels: string[], order: string[]) => labels.join() === order.join();

/** The operand with its axes in groups, one of the orders given; which one says the index. */
function arranged(b: Rewriter, x: Operand, orders: string[][]): [Value, number] {
  const found = orders.findIndex((order) => within(x.labels, order));
  if (found >= 0) return [x.value, found];
  return [
    transpose(
      b,
      x.value,
      orders[0].map((l) => x.labels.indexOf(l)),
    ),
    0,
  ];
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

function multiplied(b: Rewriter, [p, q]: [Operand, Operand], output: string[]): Value {
  const x = summed(b, p, new Set([...output, ...q.labels]));
  const y = summed(b, q, new Set([...output, ...p.labels]));
  const inOutput = new Set(output);
  // Axes of `...` broadcast, also where one operand has fewer of them.
  const batch = output.filter((l) => (x.labels.includes(l) && y.labels.includes(l)) || /\d/.test(l));
  const k = x.labels.filter((l) => y.labels.includes(l) && !inOutput.has(l));
  const freeX = x.labels.filter((l) => !y.labels.includes(l) && !batch.includes(l));
  const freeY = y.labels.filter((l) => !x.labels.includes(l) && !batch.includes(l));
  const size = (l: string): Size =>
    x.labels.includes(l) ? sizeOf(b, x.value, x.labels.indexOf(l)) : sizeOf(b, y.value, y.labels.indexOf(l));
  const own = (o: Operand) => batch.filter((l) => o.labels.includes(l));
  const [left, adjX] = arranged(b, x, [
    [...own(x), ...freeX, ...k],
    [...own(x), ...k, ...freeX],
  ]);
  const [right, adjY] = arranged(b, y, [
    [...own(y), ...k, ...freeY],
    [...own(y), ...freeY, ...k],
  ]);
  const one = (labels: string[]) => (labels.length === 1 ? size(labels[0]) : product(b, labels.map(size)));
  // Without a batch the free axes of the left operand may stay as they are.
  const plain = !batch.length && freeX.length > 1 && !adjX;
  const rows = plain ? freeX.map(size) : [one(freeX)];
  // Each operand's own batch sizes: those of `...` may be 1 in one of them.
  const sizes = (o: Operand, a: Size[], c: Size[], swap: number) => [
    ...own(o).map((l) => sizeOf(b, o.value, o.labels.indexOf(l))),
    ...(swap ? [...c, ...a] : [...a, ...c]),
  ];
  const product2 = b.op(
    'BatchMatMulV2',
    [
      reshape(b, left, sizes(x, rows, [one(k)], adjX)),
      reshape(b, right, sizes(y, [one(k)], [one(freeY)], adjY)),
    ],
    { adj_x: attr.bool(adjX === 1), adj_y: attr.bool(adjY === 1) },
  );
  const order = [...batch, ...freeX, ...freeY];
  // What broadcasts has its size in the product only.
  const batchSize = (l: string, i: number) => (/\d/.test(l) ? sizeOf(b, product2, i) : size(l));
  const full = reshape(b, product2, [...batch.map(batchSize), ...[...freeX, ...freeY].map(size)]);
  return transpose(
    b,
    full,
    output.map((l) => order.indexOf(l)),
  );
}

export const table: RewriteTable = {
  Einsum: (_, node, b) => einsum(node, b),
};
