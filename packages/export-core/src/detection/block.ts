/** What was found as the `detection:` block of model.yaml: for people to read, and to write down. */
import type { DescriptorInput } from '../descriptor/schema';
import { Tensor } from '../tensor/tensor';
import type { Detection } from './detection';

export type DetectionBlock = NonNullable<DescriptorInput['detection']>;

/** Every value that was found. What is left out is not in the graph: model.yaml has to say it, or a default holds. */
export function detectionBlock(found: Detection): DetectionBlock {
  const { scales, scoreThreshold, iouThreshold, regular } = found;
  const nms = {
    ...(regular === undefined ? {} : { type: regular ? ('regular' as const) : ('fast' as const) }),
    ...optional('scoreThreshold', scoreThreshold, decimal),
    ...optional('iouThreshold', iouThreshold, decimal),
  };
  return {
    input: { ...optional('size', found.size, (s) => s), normalized: true },
    boxEncodings: found.boxEncodings.name,
    ...optional('classPredictions', found.classPredictions, (v) => v.name),
    ...optional('anchors', found.anchors instanceof Tensor ? undefined : found.anchors, (v) => v.name),
    ...optional('scoreConverter', found.scoreConverter, (c) => c),
    scales: { y: decimal(scales.y), x: decimal(scales.x), h: decimal(scales.h), w: decimal(scales.w) },
    ...optional('maxDetections', found.maxDetections, (n) => n),
    ...optional('maxClassesPerDetection', found.maxClassesPerDetection, (n) => n),
    ...optional('detectionsPerClass', found.detectionsPerClass, (n) => n),
    ...(Object.keys(nms).length ? { nms } : {}),
  };
}

/** A key with its value, or nothing. */
function optional<K extends string, V, T>(
  key: K,
  value: V | undefined,
  write: (value: V) => T,
): Partial<Record<K, T>> {
  return value === undefined ? {} : ({ [key]: write(value) } as Record<K, T>);
}

/** The shortest decimals of a float32: 0.6, not 0.6000000238418579. */
function decimal(n: number): number {
  return Number(Math.fround(n).toPrecision(7));
}

/** The block as lines of YAML, from `detection:` on. */
export function detectionYaml(block: DetectionBlock): string[] {
  return ['detection:', ...Object.entries(block).map(([key, value]) => `  ${key}: ${yaml(value)}`)];
}

/** A value in flow style. JSON's texts and numbers are YAML's. */
function yaml(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(yaml).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    return `{ ${Object.entries(value)
      .map(([key, v]) => `${key}: ${yaml(v)}`)
      .join(', ')} }`;
  }
  // YAML takes 1e-8 for a text: its numbers have a point.
  if (typeof value === 'number') return String(value).replace(/^(-?\d+)e/, '$1.0e');
  return typeof value === 'string' && /^[a-z]+$/.test(value) ? value : JSON.stringify(value);
}
