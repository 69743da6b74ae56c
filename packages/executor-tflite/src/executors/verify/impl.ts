import { batch, single } from '../stage-executor';

export default single('verify');
export const batchImplementation = batch('verify');
