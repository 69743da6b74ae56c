import { batch, single } from '../stage-executor';

export default single('calibrate');
export const batchImplementation = batch('calibrate');
