/** Nx generators for Floe model projects. */
export { initGenerator } from './generators/init/generator';
export { modelGenerator } from './generators/model/generator';
