/** Stages that turn a source into a frozen graph, and their Nx executors. */
export { stages } from './stages';
