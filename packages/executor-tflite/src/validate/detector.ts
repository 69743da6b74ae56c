/**
 * A detector whose own post-processing TFLite cannot do: `detection: {}` puts TFLite's in its place. Tried, not
 * guessed.
 */
import {
  Diagnostics,
  FloeError,
  GraphError,
  recogniseDetection,
  type Diagnostic,
  type StageContext,
} from '@floe/export-core';
import { lowerWhole } from '../convert/convert-graph';
import { loadFrozen } from '../convert/load-frozen';
import type { RefusedNode } from '../lower/lower';
import type { Load } from './simulate';

export interface DetectorCure {
  diagnostic: Diagnostic;
  /** Nodes that are still in the way then. */
  left: ReadonlySet<string>;
}

/** @param context of a model without `detection` */
export function detectorCure(
  refused: readonly RefusedNode[],
  load: Load,
  context: StageContext,
): DetectorCure | undefined {
  if (context.descriptor.detection || recogniseDetection(load().graph)?.kind !== 'server') return undefined;
  const left = withDetection(context);
  const cured = refused.filter(({ node }) => !left?.has(node.name));
  if (!left || cured.length === 0) return undefined;
  const ops = [...new Set(cured.map(({ node }) => node.op))];
  const named = ops.slice(0, 3).join(', ') + (ops.length > 3 ? ` and ${ops.length - 3} more ops` : '');
  const diagnostic: Diagnostic = {
    code: 'T001',
    severity: 'error',
    message: `the graph is a single-shot detector with its preprocessing and post-processing for servers, which cannot be converted (${named})`,
    hint: 'detection: {} cuts both off and ends the .tflite in TFLite_Detection_PostProcess; `floe inspect` shows what it finds',
    node: cured[0].node.name,
  };
  return { diagnostic, left };
}

/** The nodes that are refused once the detector is cut; undefined where that cannot be done. */
function withDetection(context: StageContext): Set<string> | undefined {
  const { descriptor } = context;
  const diagnostics = new Diagnostics();
  try {
    const cut = { ...context, descriptor: { ...descriptor, detection: { postprocess: 'custom' as const } } };
    const { graph, contract, customOps } = loadFrozen(cut, diagnostics);
    const { refused } = lowerWhole(graph, contract, diagnostics, customOps);
    return diagnostics.hasErrors ? undefined : new Set(refused.map(({ node }) => node.name));
  } catch (error) {
    if (error instanceof FloeError || error instanceof GraphError || error instanceof RangeError)
      return undefined;
    throw error;
  }
}
