/** Discrete Fourier transforms of any length, in double precision, on interleaved (re, im) pairs. */

/** The smallest prime factor of n > 1. */
function smallestFactor(n: number): number {
  for (let p = 2; p * p <= n; p++) if (n % p === 0) return p;
  return n;
}

/** cos and sin of 2 pi k / n, for k = 0 … n-1; the sign of the sine is the transform's direction. */
function roots(n: number, sign: 1 | -1): Float64Array {
  const out = new Float64Array(2 * n);
  for (let k = 0; k < n; k++) {
    out[2 * k] = Math.cos((2 * Math.PI * k) / n);
    out[2 * k + 1] = sign * Math.sin((2 * Math.PI * k) / n);
  }
  return out;
}

/**
 * The transform of `n` pairs, which stand `step` pairs apart from pair `from` on. A length with prime factor p is
 * p transforms of length n/p (Cooley and Tukey); a prime length is summed term by term.
 */
function transform(
  x: Float64Array,
  from: number,
  step: number,
  n: number,
  root: Float64Array,
  stride: number,
): Float64Array {
  if (n === 1) return x.slice(2 * from, 2 * from + 2);
  const p = smallestFactor(n);
  const m = n / p;
  const parts = Array.from({ length: p }, (_, r) =>
    transform(x, from + r * step, step * p, m, root, stride * p),
  );
  const out = new Float64Array(2 * n);
  for (let k = 0; k < n; k++) {
    let [re, im] = [0, 0];
    const q = 2 * (k % m);
    for (let r = 0; r < p; r++) {
      // w^(r k), where w is the first root of this length.
      const w = 2 * (((r * k) % n) * stride);
      const [a, b] = [parts[r][q], parts[r][q + 1]];
      re += a * root[w] - b * root[w + 1];
      im += a * root[w + 1] + b * root[w];
    }
    out[2 * k] = re;
    out[2 * k + 1] = im;
  }
  return out;
}

/** Transforms the lines of `data` along one axis in place; the inverse is divided by the length. */
export function transformAxis(
  data: Float64Array,
  shape: readonly number[],
  axis: number,
  inverse: boolean,
): void {
  const n = shape[axis];
  if (data.length === 0) return;
  const root = roots(n, inverse ? 1 : -1);
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const lines = data.length / 2 / n;
  const scale = inverse ? 1 / n : 1;
  for (let line = 0; line < lines; line++) {
    const from = Math.floor(line / inner) * inner * n + (line % inner);
    const result = transform(data, from, inner, n, root, 1);
    for (let k = 0; k < n; k++) {
      const at = 2 * (from + k * inner);
      data[at] = result[2 * k] * scale;
      data[at + 1] = result[2 * k + 1] * scale;
    }
  }
}
