import { batch, single } from '../stage-executor';

export default single('convert');
export const batchImplementation = batch('convert');
