import type { OpTable } from './op-row';

export const table: OpTable = {};
