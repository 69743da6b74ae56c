import type { LoweringTable } from './row';

export const table: LoweringTable = {};
