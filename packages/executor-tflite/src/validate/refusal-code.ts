/** Which kind of obstacle a node is that cannot be lowered. */
import type { Code, Node } from '@floe/export-core';
import type { Refusal } from '../lower/row';

/** Ops that read files and records, parse them, or work on text: an app does that before it runs a model. */
const READING =
  /^(Decode\w+|Parse\w+|ExtractJpegShape|ReadFile|MatchingFiles|\w*Reader\w*|QueueDequeue\w*|\w*Queue(V2)?|QueueSizeV2|(OneShot|Make|Ref)?Iterator\w*|IteratorGetNext\w*|\w+Dataset(V\d)?|Barrier\w*|Stage|Unstage|StringTo\w+|String\w+|StaticRegex\w+|Regex\w+|AsString|Substr|ReduceJoin|Unicode\w+|EncodeBase64|DecodeBase64|(Immutable|Mutable)?(Dense)?HashTable\w*|LookupTable\w+|InitializeTable\w*|SparseCross\w*|SparseFeatureCross\w*|\w*Bucketize|PyFunc\w*|EagerPyFunc|\w*Summary\w*)$/;
const CONTROL_FLOW = /^(Ref)?(Switch|Merge|Enter|Exit|NextIteration)$|^(LoopCond|_SwitchN)$/;
/** Reasons that a known size would remove. */
const UNKNOWN = /\bunknown\b|\bnot known\b|must be known|\bis not constant\b/;

export type RefusalCode = Extract<Code, 'T001' | 'T002' | 'T004' | 'T006' | 'T007'>;

/** T002 custom op, T004 a size is not known, T006 reading or text, T007 control flow, T001 everything else. */
export function refusalCode(node: Node, { reason }: Refusal): RefusalCode {
  if (!node.def) return 'T002';
  if (isReading(node.op)) return 'T006';
  if (CONTROL_FLOW.test(node.op)) return 'T007';
  return UNKNOWN.test(reason) ? 'T004' : 'T001';
}

export function isReading(op: string): boolean {
  return READING.test(op);
}
