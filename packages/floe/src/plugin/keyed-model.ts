/** What keys need of a model.yaml, made once and remembered for as long as the file is not touched. */
import {
  keyName,
  keyOver,
  loadDescriptor,
  sliceDigest,
  stageOf,
  type CodeIdentity,
  type Descriptor,
  type StageName,
  type TargetRef,
} from '@floe/export-core';
import { outlineOf } from './targets';

/** The keys of descriptors that name files. */
type FileNames = Pick<Descriptor, 'source' | 'detection' | 'verify' | 'variants'>;

export interface KeyedTarget {
  stage: StageName;
  variant?: string;
  /** What its key is handed over as. */
  name: string;
  /** The whole key, where no file is part of it; empty where there can be none. */
  key?: string;
  /** Else the digest of what it reads of model.yaml. */
  slice?: string;
}

/** Plain JSON, and small: a workspace has a thousand of them. */
export interface KeyedModel {
  /** Undefined when model.yaml is wrong. */
  files?: FileNames;
  targets: KeyedTarget[];
}

/** @throws errors of the file system */
export function keyedModel(
  path: string,
  projectRoot: string,
  code: (target: TargetRef) => CodeIdentity,
): KeyedModel {
  const loaded = loadDescriptor(path);
  const { descriptor, diagnostics } = loaded;
  const usable =
    descriptor && !diagnostics.some(({ severity }) => severity === 'error') ? descriptor : undefined;
  const targets = outlineOf(loaded).targets.map(({ stage, variant, target }): KeyedTarget => {
    const ref: TargetRef = { stage: stageOf(stage), variant };
    const base = { stage, variant, name: keyName(projectRoot, target) };
    if (!usable) return { ...base, key: '' };
    const slice = sliceDigest(ref, usable);
    if (ref.stage.locked(usable, variant)) return { ...base, slice };
    return { ...base, key: keyOrNone(() => keyOver(ref, slice, { digests: [] }, code(ref))) };
  });
  return { files: usable && fileNames(usable), targets };
}

/** Without a fingerprint of the code there is no key; the executor says why. */
function keyOrNone(make: () => string): string {
  try {
    return make();
  } catch {
    return '';
  }
}

function fileNames({ source, detection, verify, variants }: Descriptor): FileNames {
  const settings = Object.entries(variants).map(([name, { calibration }]) => [name, { calibration }]);
  return { source, detection, verify, variants: Object.fromEntries(settings) as Descriptor['variants'] };
}
