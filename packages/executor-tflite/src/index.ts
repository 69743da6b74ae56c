/** Stages from the frozen graph to a verified .tflite, and their Nx executors. */
export { engineIdentity } from './executors/engine';
export { inspectTflite } from './executors/inspect-tflite';
export { stages } from './stages';
