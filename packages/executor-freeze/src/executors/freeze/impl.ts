import { batch, single } from '../stage-executor';

export default single('freeze');
export const batchImplementation = batch('freeze');
