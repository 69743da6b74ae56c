/** "Did you mean …?": the nearest right names to a wrong one. */

/** The longest distance that still counts as a typing error; longer words earn more, up to this. */
const MAX_EDITS = 4;

/**
 * The candidates most like `word`, best first, at most `max`; none when nothing is near.
 *
 * Made for node names: `:0` and case are ignored, and a name without its scope finds the one in its scope
 * (`Softmax` → `resnet_v1_50/predictions/Softmax`), as does one with the wrong scope. Ties go to the shorter
 * name, then by code unit, so that the answer does not depend on the order of the candidates.
 */
export function nearest(word: string, candidates: Iterable<string>, max = 3): string[] {
  const wanted = normalise(word);
  if (wanted === '') return [];
  const leaf = lastSegment(wanted);
  const edits = allowedEdits(wanted);
  const leafEdits = allowedEdits(leaf);
  // The best so far, in order. What cannot get among them is not measured to the end.
  const best: { name: string; score: number }[] = [];
  for (const candidate of candidates) {
    const worst = best.length < max ? Infinity : best[max - 1].score;
    const score = scoreOf(wanted, leaf, edits, leafEdits, normalise(candidate), worst);
    if (score === undefined || score > worst || best.some(({ name }) => name === candidate)) continue;
    best.push({ name: candidate, score });
    best.sort((a, b) => a.score - b.score || a.name.length - b.name.length || (a.name < b.name ? -1 : 1));
    best.length = Math.min(best.length, max);
  }
  return best.map(({ name }) => name);
}

/** A hint out of `nearest`: "did you mean `a` or `b`?"; undefined when nothing is near. */
export function didYouMean(word: string, candidates: Iterable<string>, max = 3): string | undefined {
  return suggestion(nearest(word, candidates, max));
}

/** The same for names that are already chosen. */
export function suggestion(names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  const quoted = names.map((n) => `\`${n}\``);
  const last = quoted.pop() as string;
  return `did you mean ${quoted.length ? `${quoted.join(', ')} or ${last}` : last}?`;
}

/** Lower is better: the whole name first, then the same leaf in another scope, then a misspelt leaf. */
function scoreOf(
  wanted: string,
  leaf: string,
  edits: number,
  leafEdits: number,
  name: string,
  worst: number,
): number | undefined {
  if (name === wanted) return 0;
  if (name.endsWith('/' + wanted)) return 0.5;
  const whole = editDistance(wanted, name, Math.min(edits, Math.floor(worst)));
  if (whole !== undefined) return whole;
  if (wanted.endsWith('/' + name)) return 1.5;
  const nameLeaf = lastSegment(name);
  const scoped = nameLeaf.length !== name.length || leaf.length !== wanted.length;
  if (!scoped || worst < MAX_EDITS + 1) return undefined;
  if (nameLeaf === leaf) return MAX_EDITS + 1 + scopeDistance(wanted, name);
  const distance = editDistance(leaf, nameLeaf, leafEdits);
  return distance === undefined ? undefined : MAX_EDITS + 2 + distance + scopeDistance(wanted, name);
}

function normalise(name: string): string {
  return name.replace(/^\^/, '').replace(/:\d+$/, '').toLowerCase();
}

function lastSegment(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}

function allowedEdits(word: string): number {
  return word.length < 2 ? 0 : Math.min(MAX_EDITS, Math.ceil(word.length / 3));
}

/** 0 … 1: the share of leading scopes that two names do not have in common. */
function scopeDistance(a: string, b: string): number {
  const x = a.split('/');
  const y = b.split('/');
  const depth = Math.max(x.length, y.length) - 1;
  let same = 0;
  while (same < Math.min(x.length, y.length) - 1 && x[same] === y[same]) same++;
  return depth === 0 ? 0 : 1 - same / depth;
}

/**
 * Edits (insert, delete, replace, swap of neighbours) between two words; undefined when there are more than
 * `limit` (at most 250). Only the diagonal band of the table that can stay within the limit is computed.
 */
export function editDistance(a: string, b: string, limit: number): number | undefined {
  if (Math.abs(a.length - b.length) > limit) return undefined;
  let start = 0;
  while (start < a.length && start < b.length && a.charCodeAt(start) === b.charCodeAt(start)) start++;
  let endA = a.length;
  let endB = b.length;
  while (endA > start && endB > start && a.charCodeAt(endA - 1) === b.charCodeAt(endB - 1)) {
    endA--;
    endB--;
  }
  const rows = endA - start;
  const columns = endB - start;
  const over = limit + 1;
  // Rows of the table; cells outside the band stay `over`, as do those on its rim that later rows look at.
  let before = new Uint8Array(columns + 2).fill(over);
  let previous = new Uint8Array(columns + 2).fill(over);
  let current = new Uint8Array(columns + 2).fill(over);
  for (let j = 0; j <= Math.min(columns, limit); j++) previous[j] = j;
  let bestBefore = 0;

  for (let i = 1; i <= rows; i++) {
    const from = Math.max(1, i - limit);
    const to = Math.min(columns, i + limit);
    current[from - 1] = from === 1 && i <= limit ? i : over;
    current[to + 1] = over;
    let best = current[from - 1];
    const x = a.charCodeAt(start + i - 1);
    for (let j = from; j <= to; j++) {
      const y = b.charCodeAt(start + j - 1);
      let d = Math.min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + (x === y ? 0 : 1), over);
      if (i > 1 && j > 1 && x === b.charCodeAt(start + j - 2) && a.charCodeAt(start + i - 2) === y) {
        d = Math.min(d, before[j - 2] + 1);
      }
      current[j] = d;
      if (d < best) best = d;
    }
    // A swap reaches two rows back, so both have to be over the limit.
    if (best > limit && bestBefore > limit) return undefined;
    bestBefore = best;
    [before, previous, current] = [previous, current, before];
  }
  return previous[columns] <= limit ? previous[columns] : undefined;
}
