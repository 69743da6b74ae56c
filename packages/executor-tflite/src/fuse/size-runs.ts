/**
 * Given:  PACK(s[0], s[1], 2, 4)      s = SHAPE(x), and nothing but such shapes reads the sizes
 * Result: CONCATENATION(s[0:2], [2, 4])
 *
 * How shapes are put together where several sizes are unknown. Done where fewer slices are left than were there.
 */
import type { TfliteOp, TfliteSubgraph } from '../tflite/model';
import { TfliteTensor } from '../tflite/model';
import { intConstant, ints, SubgraphEdit } from './edit';

/** Sizes that stand side by side in a shape, and the slices that take them one by one. */
interface Run {
  shape: TfliteTensor;
  first: number;
  slices: TfliteOp[];
}
type Piece = Run | number[];

const isRun = (piece: Piece): piece is Run => !Array.isArray(piece);
const keyOf = ({ first, slices }: Run) => `${first} ${slices.length}`;

export function fuseSizeRuns(graph: TfliteSubgraph): number {
  const edit = new SubgraphEdit(graph);
  const packs = new Map<TfliteOp, Piece[]>();
  for (const op of graph.ops) {
    const pieces = op.code === 'PACK' ? piecesOf(edit, op) : undefined;
    if (pieces?.some(isRun)) packs.set(op, pieces);
  }
  const shapes = new Set([...packs.values()].flatMap((pieces) => pieces.filter(isRun).map((r) => r.shape)));
  // A PACK that is left as it is may keep slices of another shape alive: again until none falls out.
  for (let before = -1; before !== packs.size;) {
    before = packs.size;
    for (const shape of shapes) {
      if (!gains(edit, shape, packs))
        for (const [op, pieces] of packs)
          if (pieces.some((p) => isRun(p) && p.shape === shape)) packs.delete(op);
    }
  }
  const taken = new Map([...shapes].map((shape) => [shape, takeRuns(edit, shape, packs)]));
  for (const [op, pieces] of packs) {
    join(
      edit,
      op,
      pieces.map((piece) => (isRun(piece) ? taken.get(piece.shape)!.get(keyOf(piece))! : piece)),
    );
  }
  return edit.commit();
}

/** What a vector of sizes is put together from; undefined where one is computed otherwise. */
function piecesOf(edit: SubgraphEdit, op: TfliteOp): Piece[] | undefined {
  if (op.outputs[0].type !== 'INT32' || Number(op.options?.axis ?? 0) !== 0) return undefined;
  const pieces: Piece[] = [];
  for (const tensor of op.inputs) {
    const last = pieces.at(-1);
    const constant = tensor?.shape?.length === 0 ? ints(tensor) : undefined;
    const size = constant ? undefined : sizeOf(edit, tensor);
    if (constant) {
      if (last && !isRun(last)) last.push(constant[0]);
      else pieces.push([constant[0]]);
    } else if (!size) return undefined;
    else if (
      last &&
      isRun(last) &&
      last.shape === size.shape &&
      size.first === last.first + last.slices.length
    )
      last.slices.push(...size.slices);
    else pieces.push(size);
  }
  return pieces;
}

/** One element of a shape. */
function sizeOf(edit: SubgraphEdit, tensor: TfliteTensor | undefined): Run | undefined {
  const op = edit.plain(tensor, 'STRIDED_SLICE');
  const [begin, end, stride] = op ? op.inputs.slice(1).map(ints) : [];
  const shape = op?.inputs[0];
  const isOne = begin?.length === 1 && begin[0] >= 0 && end?.[0] === begin[0] + 1 && stride?.[0] === 1;
  if (!op || !shape || !isOne || op.options?.shrink_axis_mask !== 1) return undefined;
  return edit.plain(shape, 'SHAPE') ? { shape, first: begin[0], slices: [op] } : undefined;
}

function runsOf(shape: TfliteTensor, packs: ReadonlyMap<TfliteOp, Piece[]>): Map<string, Run> {
  const runs = [...packs.values()].flat().filter((p): p is Run => isRun(p) && p.shape === shape);
  return new Map(runs.map((run) => [keyOf(run), run]));
}

/** Fewer slices of a shape are left, and each run has one of its own to become. */
function gains(edit: SubgraphEdit, shape: TfliteTensor, packs: ReadonlyMap<TfliteOp, Piece[]>): boolean {
  const runs = [...runsOf(shape, packs).values()];
  const slices = new Set(runs.flatMap((r) => r.slices));
  const freed = [...slices].every(
    ({ outputs: [size] }) =>
      !edit.isOutput(size) && edit.readersOf(size).every((reader) => packs.has(reader)),
  );
  return freed && runs.length < slices.size && assign(runs) !== undefined;
}

function assign(runs: readonly Run[]): Map<Run, TfliteOp> | undefined {
  const taken = new Map<TfliteOp, Run>();
  for (const run of runs) {
    const free = run.slices.find((op) => !taken.has(op));
    if (!free) return undefined;
    taken.set(free, run);
  }
  return new Map([...taken].map(([op, run]) => [run, op]));
}

/** Lets one slice of each run take all of it; what they give, by run. */
function takeRuns(
  edit: SubgraphEdit,
  shape: TfliteTensor,
  packs: ReadonlyMap<TfliteOp, Piece[]>,
): Map<string, TfliteTensor> {
  const taken = new Map<string, TfliteTensor>();
  for (const [run, op] of assign([...runsOf(shape, packs).values()]) ?? []) {
    const { name } = op.outputs[0];
    const bound = (what: string, value: number) => intConstant(`${name}/${what}`, [value]);
    const end = run.first + run.slices.length;
    const sizes = new TfliteTensor(`${name}/sizes`, 'INT32', [run.slices.length]);
    const operands = [shape, bound('begin', run.first), bound('end', end), bound('strides', 1)];
    edit.become(op, 'STRIDED_SLICE', operands, { ...op.options!, shrink_axis_mask: 0 });
    edit.setOutput(op, sizes);
    taken.set(keyOf(run), sizes);
  }
  return taken;
}

function join(edit: SubgraphEdit, op: TfliteOp, pieces: readonly (TfliteTensor | number[])[]): void {
  const parts = pieces.map((piece, i) =>
    Array.isArray(piece) ? intConstant(`${op.outputs[0].name}/sizes_${i}`, piece) : piece,
  );
  const options = { type: 'ConcatenationOptions', axis: 0 };
  edit.become(op, 'CONCATENATION', parts, options);
  if (parts.length === 1) edit.bypass(op);
}
