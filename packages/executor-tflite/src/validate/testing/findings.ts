/** What validation finds, one row a finding, on artefacts that TensorFlow wrote and a script bent. */
import { CONTRACT_FINDINGS } from './contract-findings';
import type { Finding } from './finding';
import { GRAPH_FINDINGS } from './graph-findings';
import { TARGET_FINDINGS } from './target-findings';

export const FINDINGS: readonly Finding[] = [...CONTRACT_FINDINGS, ...GRAPH_FINDINGS, ...TARGET_FINDINGS];
