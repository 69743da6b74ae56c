/** Which quantisation each operator gets: the variant's, but for what its rules say of single nodes. */
import type { Variant } from '@floe/export-core';
import type { TfliteOp } from '../tflite/model';
import { nameOf, type Mode } from './plan';

export type Rules = NonNullable<Variant['rules']>;

/** A pattern with * for any characters, as in model.yaml. */
export function matchesPattern(pattern: string, name: string): boolean {
  const escaped = pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replace(/\*/g, '.*');
  return new RegExp(`^${escaped}$`, 's').test(name);
}

export class RuleBook {
  /** Rules that matched something. */
  readonly used = new Set<number>();

  constructor(
    private readonly quantization: Mode,
    private readonly rules: Rules = [],
  ) {}

  /** The first rule that matches counts. */
  modeOf(op: TfliteOp): Mode {
    const name = nameOf(op);
    const i = this.rules.findIndex(({ match }) => matchesPattern(match, name));
    if (i < 0) return this.quantization;
    this.used.add(i);
    return this.rules[i].quantization;
  }

  /** Rules that matched no operator, by their index. */
  unused(): number[] {
    return this.rules.map((_, i) => i).filter((i) => !this.used.has(i));
  }
}
