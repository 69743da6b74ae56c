import { batch, single } from '../stage-executor';

export default single('export-saved-model');
export const batchImplementation = batch('export-saved-model');
