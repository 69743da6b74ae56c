import { batch, single } from '../stage-executor';

export default single('quantize');
export const batchImplementation = batch('quantize');
