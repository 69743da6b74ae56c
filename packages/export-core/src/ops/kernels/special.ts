/**
 * Special functions in double precision, from their series and continued fractions.
 */
const TWO_OVER_SQRT_PI = 2 / Math.sqrt(Math.PI);

/** The error function. */
export function erf(x: number): number {
  if (Number.isNaN(x)) return NaN;
  if (Math.abs(x) >= 1.5) return Math.sign(x) * (1 - erfcTail(Math.abs(x)));
  // 2/sqrt(pi) exp(-x^2) sum of 2^n x^(2n+1) / (1·3·5…(2n+1)): all terms of one sign, nothing cancels.
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return TWO_OVER_SQRT_PI * Math.exp(-x * x) * sum;
}

/** The complementary error function. */
export function erfc(x: number): number {
  if (x >= 1.5) return erfcTail(x);
  return 1 - erf(x);
}

/** erfc for x >= 1.5 by its continued fraction, evaluated from the far end. */
function erfcTail(x: number): number {
  if (x === Infinity) return 0;
  const terms = Math.ceil(20 + 300 / (x * x));
  let fraction = x;
  for (let n = terms; n > 0; n--) fraction = x + n / 2 / fraction;
  return Math.exp(-x * x) / (fraction * Math.sqrt(Math.PI));
}

/** The inverse of erfc on (0, 2): a rough start, then Halley steps. */
function erfcInverse(q: number): number {
  if (q > 1) return -erfcInverse(2 - q);
  if (q === 0) return Infinity;
  const t = Math.log(q * (2 - q));
  const k = 2 / (Math.PI * 0.147) + t / 2;
  let x = Math.sqrt(Math.max(0, Math.sqrt(k * k - t / 0.147) - k));
  for (let i = 0; i < 4; i++) {
    const error = erfc(x) - q;
    x += error / (TWO_OVER_SQRT_PI * Math.exp(-x * x) - x * error);
  }
  return x;
}

/** The inverse of erf; NaN outside of [-1, 1]. */
export function erfinv(y: number): number {
  if (!(Math.abs(y) <= 1)) return NaN;
  if (Math.abs(y) > 0.5) return Math.sign(y) * erfcInverse(1 - Math.abs(y));
  let x = (y * Math.sqrt(Math.PI)) / 2;
  for (let i = 0; i < 5; i++) {
    const error = erf(x) - y;
    x -= error / (TWO_OVER_SQRT_PI * Math.exp(-x * x) + x * error);
  }
  return x;
}

/** The quantile function of the normal distribution. */
export function ndtri(p: number): number {
  if (!(p >= 0 && p <= 1)) return NaN;
  return p < 0.25 ? -Math.SQRT2 * erfcInverse(2 * p) : Math.SQRT2 * erfinv(2 * p - 1);
}

/** The logarithm of the absolute value of the gamma function. */
export function lgamma(x: number): number {
  if (Number.isNaN(x)) return NaN;
  if (!Number.isFinite(x) || (x <= 0 && Number.isInteger(x))) return Infinity;
  if (x === 1 || x === 2) return 0;
  if (x < 0) return Math.log(Math.PI / Math.abs(Math.sin(Math.PI * (x % 2)))) - lgamma(1 - x);
  // Stirling's series far out; Gamma(x) = Gamma(x + n) / (x (x+1) … (x+n-1)).
  let product = 1;
  let z = x;
  for (; z < 12; z++) product *= z;
  const r = 1 / z;
  const r2 = r * r;
  const series =
    r * (1 / 12 - r2 * (1 / 360 - r2 * (1 / 1260 - r2 * (1 / 1680 - r2 * (1 / 1188 - (r2 * 691) / 360360)))));
  return (z - 0.5) * Math.log(z) - z + Math.log(2 * Math.PI) / 2 + series - Math.log(product);
}

/** The derivative of lgamma. */
export function digamma(x: number): number {
  if (Number.isNaN(x) || x === -Infinity) return NaN;
  if (x === Infinity) return Infinity;
  if (x <= 0 && Number.isInteger(x)) return NaN;
  if (x < 0) return digamma(1 - x) - Math.PI / Math.tan(Math.PI * (x % 1));
  let shift = 0;
  let z = x;
  for (; z < 12; z++) shift += 1 / z;
  const r2 = 1 / (z * z);
  const series =
    r2 * (1 / 12 - r2 * (1 / 120 - r2 * (1 / 252 - r2 * (1 / 240 - r2 * (1 / 132 - (r2 * 691) / 32760)))));
  return Math.log(z) - 0.5 / z - series - shift;
}
