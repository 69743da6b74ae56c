import { batch, single } from '../stage-executor';

export default single('validate');
export const batchImplementation = batch('validate');
