/**
 * Resizing by a scale and a translation with a sampling kernel, as ScaleAndTranslate does: each output position takes
 * the input positions under the kernel, weighted so that they sum to one.
 */
import { type Taps } from './resize';

interface Kernel {
  radius: number;
  /** Weight at a distance of 0 or more. */
  at(x: number): number;
}

function lanczos(radius: number): Kernel {
  const at = (x: number) => {
    const [p, q] = [Math.PI * x, (Math.PI * x) / radius];
    if (x >= radius) return 0;
    return x <= 1e-3 ? 1 : (Math.sin(p) * Math.sin(q)) / (p * q);
  };
  return { radius, at };
}

const GAUSSIAN_RADIUS = 1.5;
const SIGMA = GAUSSIAN_RADIUS / 3;

const KERNELS: Record<string, Kernel> = {
  lanczos1: lanczos(1),
  lanczos3: lanczos(3),
  lanczos5: lanczos(5),
  gaussian: {
    radius: GAUSSIAN_RADIUS,
    at: (x) => (x >= GAUSSIAN_RADIUS ? 0 : Math.exp((-x * x) / (2 * SIGMA * SIGMA))),
  },
  box: { radius: 1, at: (x) => (x < 0.5 ? 1 : x === 0.5 ? 0.5 : 0) },
  triangle: { radius: 1, at: (x) => Math.max(0, 1 - x) },
  keyscubic: {
    radius: 2,
    at: (x) => {
      if (x >= 2) return 0;
      return x >= 1 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : (1.5 * x - 2.5) * x * x + 1;
    },
  },
  mitchellcubic: {
    radius: 2,
    at: (x) => {
      if (x >= 2) return 0;
      return x >= 1 ? (((-7 / 18) * x + 2) * x - 10 / 3) * x + 16 / 9 : ((7 / 6) * x - 2) * x * x + 8 / 9;
    },
  },
};

export interface Sampling {
  kernel: string;
  antialias: boolean;
  scale: number;
  translation: number;
}

/** Below this a sum of weights divides nothing: a thousand times the smallest normal float32. */
const SMALLEST_SUM = 1000 * 2 ** -126;

const round = Math.fround;

/** Input positions and weights of each output position; undefined for a kernel that is not known. */
export function samplingTable(input: number, output: number, sampling: Sampling): Taps[] | undefined {
  if (!Object.hasOwn(KERNELS, sampling.kernel)) return undefined;
  const { radius, at } = KERNELS[sampling.kernel];
  const inverse = round(1 / sampling.scale);
  const shift = round(-inverse * sampling.translation);
  // Where the image gets smaller, the kernel spreads over all that one position stands for.
  const spread = sampling.antialias ? Math.max(inverse, 1) : 1;
  return Array.from({ length: output }, (_, i) => {
    const sample = round(round((i + 0.5) * inverse) + shift);
    if (sample < 0 || sample > input) return { index: [0], weight: [0] };
    const clamp = (k: number) => Math.min(input - 1, Math.max(0, k));
    const first = clamp(Math.ceil(round(round(sample - radius * spread) - 0.5)));
    const last = clamp(Math.floor(round(round(sample + radius * spread) - 0.5)));
    const index = Array.from({ length: last - first + 1 }, (_, k) => first + k);
    const weight = index.map((k) => round(at(round(Math.abs(round(k + 0.5) - sample) * round(1 / spread)))));
    const sum = weight.reduce((s, w) => round(s + w), 0);
    return {
      index,
      weight: Math.abs(sum) < SMALLEST_SUM ? index.map(() => 0) : weight.map((w) => round(w / sum)),
    };
  });
}
