/** Which declared sizes would make the unknown ones known that an operator needs: tried, not guessed. */
import type { Contract, Shape, TensorSpec } from '@floe/export-core';
import type { RefusedNode } from '../lower/lower';
import { simulate, type Load } from './simulate';

/** Contracts with more unknown inputs are tried as a whole only. */
const MAX_TRIED = 4;

export interface SizeCure {
  signature: string;
  spec: TensorSpec;
  shape: number[];
}

/** The inputs to give sizes to, as few as do; empty where no size helps. */
export function sizesThatHelp(load: Load, contract: Contract, refused: readonly RefusedNode[]): SizeCure[] {
  const wanted = new Set(refused.map(({ node }) => node.name));
  const candidates: SizeCure[] = contract.signatures.flatMap(({ key, inputs }) =>
    inputs
      .filter((spec) => spec.shape?.includes(null))
      .map((spec) => ({ signature: key, spec, shape: concrete(spec.shape) })),
  );
  const helps = (cures: readonly SizeCure[]): boolean => {
    const left = simulate(load, (changed) => apply(changed, cures));
    return left !== undefined && !left.some(({ node }) => wanted.has(node.name));
  };
  if (candidates.length === 0) return [];
  if (candidates.length <= MAX_TRIED) {
    const one = candidates.find((cure) => helps([cure]));
    if (one) return [one];
  }
  return helps(candidates) ? candidates : [];
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
