/** Targets: a stage, of a variant where it is one for each; and what has to be done before them. */
import type { Descriptor } from '../descriptor/schema';
import { stageOf, STAGES, type Stage, type StageName } from './table';

/** `freeze`, `export-tflite:int8`. */
export function targetName(stage: StageName, variant?: string): string {
  return variant === undefined ? stage : `${stage}:${variant}`;
}

export interface StageTarget {
  stage: Stage;
  variant?: string;
  target: string;
}

/** Every target with work of its own that a model has, each after those it reads from. */
export function targetsOf(descriptor: Descriptor): StageTarget[] {
  const variants = Object.entries(descriptor.variants);
  return STAGES.flatMap((stage): StageTarget[] =>
    stage.perVariant
      ? variants
          .filter(([, settings]) => stage.appliesTo(settings))
          .map(([variant]) => ({ stage, variant, target: targetName(stage.name, variant) }))
      : [{ stage, target: stage.name }],
  );
}

/** The targets of the same model that have to be done before this one. */
export function dependenciesOf(descriptor: Descriptor, { stage, variant }: StageTarget): string[] {
  const names = [...stage.upstream(descriptor, variant).map((u) => u.stage), ...stage.after];
  return names.map((name) => targetName(name, stageOf(name).perVariant ? variant : undefined));
}

/** The targets of a stage, of the variants asked for (default: all), and those they need, in the order of the stages. */
export function targetsUpTo(
  descriptor: Descriptor,
  until: StageName,
  variants: readonly string[] = [],
): StageTarget[] {
  const all = targetsOf(descriptor).filter(
    ({ variant }) => variant === undefined || variants.length === 0 || variants.includes(variant),
  );
  return withDependencies(
    all,
    ({ stage }) => stage.name === until,
    (target) => dependenciesOf(descriptor, target),
  );
}

/** Those of a list that are wanted, and what they need; in the list, each stands after what it needs. */
export function withDependencies<T extends { target: string }>(
  all: readonly T[],
  isWanted: (target: T) => boolean,
  dependencies: (target: T) => readonly string[],
): T[] {
  const needed = new Set<string>();
  for (const entry of [...all].reverse()) {
    if (!isWanted(entry) && !needed.has(entry.target)) continue;
    for (const name of [entry.target, ...dependencies(entry)]) needed.add(name);
  }
  return all.filter(({ target }) => needed.has(target));
}
