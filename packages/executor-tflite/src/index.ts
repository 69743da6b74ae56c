/** Stages from the frozen graph to a verified .tflite, and their Nx executors. */
export { engineIdentity } from './executors/engine';
export { stages } from './stages';
