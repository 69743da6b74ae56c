/** Complex arithmetic on (re, im) pairs, in double precision unless a rounding is given. */
import type { Complex, Round } from './elementwise';

const exact: Round = (x) => x;

export function complexMul(a: number, b: number, c: number, d: number, r: Round = exact): Complex {
  return [r(r(a * c) - r(b * d)), r(r(a * d) + r(b * c))];
}

/** Division scaled by the larger part of the divisor, so that squares do not overflow (Smith's method). */
export function complexDiv(a: number, b: number, c: number, d: number): Complex {
  if (Math.abs(c) >= Math.abs(d)) {
    const t = d / c;
    const n = c + d * t;
    return [(a + b * t) / n, (b - a * t) / n];
  }
  const t = c / d;
  const n = d + c * t;
  return [(a * t + b) / n, (b * t - a) / n];
}

export function complexExp(a: number, b: number): Complex {
  const e = Math.exp(a);
  return b === 0 ? [e, b] : [e * Math.cos(b), e * Math.sin(b)];
}

export function complexLog(a: number, b: number): Complex {
  return [Math.log(Math.hypot(a, b)), Math.atan2(b, a)];
}

/** The square root with a non-negative real part. */
export function complexSqrt(a: number, b: number): Complex {
  const m = Math.hypot(a, b);
  if (m === 0) return [0, b];
  const t = Math.sqrt((m + Math.abs(a)) / 2);
  if (a >= 0) return [t, b / (2 * t)];
  return [Math.abs(b) / (2 * t), b < 0 || Object.is(b, -0) ? -t : t];
}

export function complexPow(a: number, b: number, c: number, d: number): Complex {
  if (c === 0 && d === 0) return [1, 0];
  if (a === 0 && b === 0) return c > 0 ? [0, 0] : [c < 0 ? Infinity : NaN, NaN];
  const [x, y] = complexLog(a, b);
  return complexExp(...complexMul(c, d, x, y));
}

export function complexSin(a: number, b: number): Complex {
  return [Math.sin(a) * Math.cosh(b), Math.cos(a) * Math.sinh(b)];
}

export function complexCos(a: number, b: number): Complex {
  return [Math.cos(a) * Math.cosh(b), -Math.sin(a) * Math.sinh(b)];
}

export function complexSinh(a: number, b: number): Complex {
  return [Math.sinh(a) * Math.cos(b), Math.cosh(a) * Math.sin(b)];
}

export function complexCosh(a: number, b: number): Complex {
  return [Math.cosh(a) * Math.cos(b), Math.sinh(a) * Math.sin(b)];
}

/** tanh(a + ib) = (sinh 2a + i sin 2b) / (cosh 2a + cos 2b); far out it is ±1. */
export function complexTanh(a: number, b: number): Complex {
  if (Math.abs(a) > 20) return [Math.sign(a), 4 * Math.sin(b) * Math.cos(b) * Math.exp(-2 * Math.abs(a))];
  const n = Math.cosh(2 * a) + Math.cos(2 * b);
  return [Math.sinh(2 * a) / n, Math.sin(2 * b) / n];
}

export function complexTan(a: number, b: number): Complex {
  const [re, im] = complexTanh(-b, a);
  return [im, -re];
}
