/** Normalisations that have a kernel of their own. */
import { kernel } from './kernel-types';
import type { LoweringTable } from './row';

export const table: LoweringTable = {
  LRN: kernel('LOCAL_RESPONSE_NORMALIZATION', (node) => ({
    type: 'LocalResponseNormalizationOptions',
    radius: node.int('depth_radius'),
    bias: node.float('bias'),
    alpha: node.float('alpha'),
    beta: node.float('beta'),
  })),
};
