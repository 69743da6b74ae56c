/** Nx generators for Floe model projects. */
export { initGenerator } from './generators/init/generator';
export { modelGenerator } from './generators/model/generator';
export { presetGenerator } from './generators/preset/generator';
export { variantGenerator } from './generators/variant/generator';
