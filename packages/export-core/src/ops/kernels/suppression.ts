/** Greedy non-maximum suppression, hard or with Gaussian decay (Bodla et al., "Soft-NMS"). */

export interface Candidates {
  /** Two opposite corners, (y, x) each, in any order. */
  boxes(i: number): ArrayLike<number>;
  scores: ArrayLike<number>;
}

export interface Selected {
  index: number;
  score: number;
}

const round = Math.fround;

/** Intersection over union, in float32 as TensorFlow has it: thresholds are compared with this very number. */
function overlapOf(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const sides = (box: ArrayLike<number>) => [
    Math.min(box[0], box[2]),
    Math.min(box[1], box[3]),
    Math.max(box[0], box[2]),
    Math.max(box[1], box[3]),
  ];
  const [p, q] = [sides(a), sides(b)];
  const area = (s: number[]) => round(round(s[2] - s[0]) * round(s[3] - s[1]));
  const [areaP, areaQ] = [area(p), area(q)];
  if (areaP <= 0 || areaQ <= 0) return 0;
  const height = Math.max(0, round(Math.min(p[2], q[2]) - Math.max(p[0], q[0])));
  const width = Math.max(0, round(Math.min(p[3], q[3]) - Math.max(p[1], q[1])));
  const shared = round(height * width);
  return round(shared / round(round(areaP + areaQ) - shared));
}

interface Waiting {
  index: number;
  score: number;
  /** Boxes selected before this number have been compared with this one already. */
  compared: number;
}

/** The better of two candidates; of equal ones the earlier box. */
const before = (a: Waiting, b: Waiting): boolean =>
  a.score > b.score || (a.score === b.score && a.index < b.index);

/**
 * Selects at most `max` boxes of a score above `threshold`. A positive `sigma` lowers the score of an overlapping
 * box instead of dropping it.
 */
export function suppress(
  all: Candidates,
  max: number,
  overlap: number,
  threshold: number,
  sigma: number,
): Selected[] {
  const soft = sigma > 0;
  const scale = soft ? round(-0.5 / sigma) : 0;
  let queue: Waiting[] = [];
  for (let index = 0; index < all.scores.length; index++) {
    if (all.scores[index] > threshold) queue.push({ index, score: all.scores[index], compared: 0 });
  }
  // Scores only fall, so one sort is enough; a lowered candidate is put back where it belongs.
  queue = queue.sort((a, b) => (before(a, b) ? -1 : 1)).reverse();
  const chosen: Selected[] = [];
  for (let next = queue.pop(); next && chosen.length < max; next = queue.pop()) {
    const original = next.score;
    let dropped = false;
    for (let j = chosen.length - 1; j >= next.compared; j--) {
      const similarity = overlapOf(all.boxes(next.index), all.boxes(chosen[j].index));
      if (!soft && similarity > overlap) {
        dropped = true;
        break;
      }
      next.score = round(next.score * round(Math.exp(round(round(scale * similarity) * similarity))));
      if (next.score <= threshold) break;
    }
    next.compared = chosen.length;
    if (dropped) continue;
    if (next.score === original) chosen.push({ index: next.index, score: next.score });
    else if (next.score > threshold) insert(queue, next);
  }
  return chosen;
}

/** The queue holds the best candidate last. */
function insert(queue: Waiting[], item: Waiting): void {
  let [low, high] = [0, queue.length];
  while (low < high) {
    const mid = (low + high) >> 1;
    if (before(item, queue[mid])) low = mid + 1;
    else high = mid;
  }
  queue.splice(low, 0, item);
}
