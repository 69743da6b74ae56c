/** Which declared sizes would make the unknown ones known that an operator needs: tried, not guessed. */
import type { Contract, Shape, TensorSpec } from '@floe/export-core';
import type { RefusedNode } from '../lower/lower';
import { simulate, type Load } from './simulate';

/** Inputs are tried one by one up to this many, more of them only all at once. */
const MAX_TRIED = 4;

export interface SizeCure {
  signature: string;
  spec: TensorSpec;
  shape: number[];
}

export class SizeCures {
  private readonly candidates: SizeCure[];
  /** What is still refused with these sizes, by what was tried. */
  private readonly tried = new Map<string, ReadonlySet<string> | undefined>();

  constructor(
    private readonly load: Load,
    contract: Contract,
  ) {
    this.candidates = contract.signatures.flatMap(({ key, inputs }) =>
      inputs
        .filter((spec) => spec.shape?.includes(null))
        .map((spec) => ({ signature: key, spec, shape: concrete(spec.shape) })),
    );
  }

  /** The inputs to give sizes to, as few as do, so that none of these nodes is refused; empty where no size helps. */
  for(refused: readonly RefusedNode[]): SizeCure[] {
    if (this.candidates.length === 0 || !this.help(refused, this.candidates)) return [];
    if (this.candidates.length > MAX_TRIED) return this.candidates;
    const one = this.candidates.find((cure) => this.help(refused, [cure]));
    return one ? [one] : this.candidates;
  }

  private help(refused: readonly RefusedNode[], cures: readonly SizeCure[]): boolean {
    const key = JSON.stringify(cures.map(({ signature, spec }) => [signature, spec.name]));
    if (!this.tried.has(key)) {
      const left = simulate(this.load, (changed) => apply(changed, cures));
      this.tried.set(key, left && new Set(left.map(({ node }) => node.name)));
    }
    const left = this.tried.get(key);
    return left !== undefined && !refused.some(({ node }) => left.has(node.name));
  }
}

/** A shape as people use it: one sample, images of 224 pixels, sequences of 128 steps. */
function concrete(shape: Shape): number[] {
  const sizes = shape ?? [];
  const usual = sizes.length >= 4 ? 224 : sizes.length === 2 ? 16 : 128;
  return sizes.map((size, i) => size ?? (i === 0 ? 1 : usual));
}

function apply(contract: Contract, cures: readonly SizeCure[]): void {
  for (const { signature, spec, shape } of cures) {
    const inputs = contract.signatures.find((s) => s.key === signature)?.inputs ?? [];
    for (const input of inputs) if (input.name === spec.name) input.shape = [...shape];
  }
}
