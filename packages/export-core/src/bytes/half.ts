/**
 * 16-bit floats.
 *
 *   float16   s eeeee mmmmmmmmmm   bias 15
 *   bfloat16  s eeeeeeee mmmmmmm   the upper half of a float32
 *
 * Rounding is to nearest, ties to even, as in TensorFlow (Eigen::half, Eigen::bfloat16).
 */
const f32 = new Float32Array(1);
const u32 = new Uint32Array(f32.buffer);

/** The value of a float16's 16 bits. */
export function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const mantissa = bits & 0x3ff;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 31) return mantissa ? NaN : sign * Infinity;
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
}

/** The float16 bits nearest to a number. The number is first rounded to float32, as TensorFlow's cast does. */
export function floatToHalf(value: number): number {
  f32[0] = value;
  const bits = u32[0];
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x47800000) return sign | 0x7c00;
  if (magnitude < 0x38800000) {
    // Subnormal result: steps of 2^-24. Division by a power of two is exact; the rounding is done here.
    f32[0] = value;
    return sign | roundHalfEven(Math.abs(f32[0]) * 2 ** 24);
  }
  const rest = magnitude & 0x1fff;
  let half = (magnitude - 0x38000000) >>> 13;
  if (rest > 0x1000 || (rest === 0x1000 && half & 1)) half++;
  return sign | half;
}

/** The value of a bfloat16's 16 bits. */
export function bfloat16ToFloat(bits: number): number {
  u32[0] = bits << 16;
  return f32[0];
}

/** The bfloat16 bits nearest to a number. */
export function floatToBfloat16(value: number): number {
  f32[0] = value;
  const bits = u32[0];
  if ((bits & 0x7fffffff) > 0x7f800000) return ((bits >>> 16) & 0x8000) | 0x7fc0;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

/** Rounds to the nearest integer, ties to the even one. */
export function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest < 0.5) return floor;
  if (rest > 0.5) return floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}
