import { batch, single } from '../stage-executor';

export default single('export-tflite');
export const batchImplementation = batch('export-tflite');
