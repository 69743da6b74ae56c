/** Names that model.yaml knows, apart from its schema so that they cost no loading time. */

/** Folders of `dist/` that belong to stages: no variant may be called so. */
export const RESERVED_VARIANTS: readonly string[] = ['frozen', 'validation', 'converted', 'saved_model'];

export const VARIANT_NAME = new RegExp(`^(?!(?:${RESERVED_VARIANTS.join('|')})$)[a-z0-9][a-z0-9_-]*$`);

/** An Nx project name; no colon, which separates project and target. */
export const PROJECT_NAME = /^[A-Za-z0-9@][A-Za-z0-9@/._-]*$/;

export const QUANTIZATIONS = [
  'none',
  'float16',
  'dynamic',
  'int8',
  'int16x8',
  'weight-only-int8',
  'weight-only-int4',
] as const;

/** Those whose activations are integers: their ranges have to be measured. */
export const CALIBRATED_QUANTIZATIONS = ['int8', 'int16x8'] as const;

/** A path: not empty, and without the character that no file system takes. */
// eslint-disable-next-line no-control-regex
export const PATH = /^[^\x00]+$/;
