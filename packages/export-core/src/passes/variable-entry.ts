/**
 * Which entry of the checkpoint a variable's value is, and that value, checked against the graph.
 *
 * The first that holds: what model.yaml says (`freeze: { rename }`), what the graph's saver says, what the source
 * knows of the name. With `variables: ema` the entry of the variable's moving average comes in its place, where it
 * has one. `include` and `exclude` choose among the checkpoint's names.
 */
import { nearest, suggestion } from '../diagnostics/suggest';
import type { Graph, Node } from '../graph/graph';
import { compatible, shapeToString, type Shape } from '../tensor/shape';
import { Tensor } from '../tensor/tensor';
import { checkpointKeys, type CheckpointKey } from './checkpoint-keys';
import type { FreezeContext, VariableValues } from './freeze-context';
import { sharedName } from './variable-uses';
import { sliceTensor } from './slice-tensor';

/** As TensorFlow calls moving averages when it is not told otherwise. */
const AVERAGE_SUFFIX = 'ExponentialMovingAverage';

/** How many names a note lists. */
const MAX_LISTED = 5;
/** Up to this many missing variables have each a message of their own, whatever rule there may be. */
const MAX_SINGLE = 3;

export class VariableEntries {
  private readonly keys: ReadonlyMap<string, CheckpointKey>;
  private readonly used = new Set<string>();
  private readonly raw: string[] = [];
  private readonly lacking: { node: Node; name: string; isLeftOut: boolean }[] = [];
  private averaged = 0;

  constructor(
    graph: Graph,
    private readonly values: VariableValues,
    private readonly context: FreezeContext,
  ) {
    this.keys = context.checkpointKeys ?? checkpointKeys(graph, values);
    const { rename, diagnostics } = context;
    const known = new Set([...this.keys.keys(), ...graph.nodes.keys()]);
    for (const pattern of Object.keys(rename)) {
      if (!isPattern(pattern) && !known.has(pattern)) {
        diagnostics.warning('S008', `freeze.rename names "${pattern}", which is no variable of the graph`, {
          hint: suggestion(nearest(pattern, known)),
        });
      }
    }
  }

  /** The value of one variable; undefined where there is none, which `summarise` tells of at the latest. */
  value(node: Node): Tensor | undefined {
    const { diagnostics } = this.context;
    const key = this.keys.get(node.name);
    const name = this.entryOf(node, key);
    const info = name === undefined ? undefined : this.values.info(name);
    if (name === undefined || !info || !this.isChosen(name)) {
      const wanted = name ?? key?.name ?? nameOf(node);
      this.lacking.push({ node, name: wanted, isLeftOut: info !== undefined });
      return undefined;
    }
    this.used.add(name);
    const dtype = node.type('dtype');
    const slice = info.shape.length === key?.slice?.length || !key?.slice ? key?.slice : undefined;
    const shape: Shape = slice ? slice.map((s) => s.length) : [...info.shape];
    const declared = node.shape('shape');
    if (info.dtype !== dtype || !compatible(shape, declared)) {
      diagnostics.error(
        'S009',
        `variable "${node.name}" is ${dtype} ${shapeToString(declared)} in the graph and ${info.dtype} ${shapeToString(shape)} in ${this.values.name}${name === node.name ? '' : ` (as "${name}")`}`,
        { hint: 'is this the checkpoint of this graph?', node: node.name },
      );
      return undefined;
    }
    const read = (): Tensor => (slice ? sliceTensor(this.values.read(name), slice) : this.values.read(name));
    if (dtype === 'string') return read();
    // Read when the frozen graph is written, or when a fold needs it: not all weights are held at once.
    return Tensor.deferred(dtype, slice ? slice.map((s) => s.length) : info.shape, () => read().bytes);
  }

  private entryOf(node: Node, key: CheckpointKey | undefined): string | undefined {
    const renamed = renameOf(nameOf(node), this.context.rename) ?? renameOf(node.name, this.context.rename);
    const raw = renamed ?? this.sourceEntry(nameOf(node), key?.name);
    if (!this.context.averages) return raw;
    const shadow = this.context.averages.get(node.name);
    const candidates = [
      ...(shadow === undefined ? [] : [this.sourceEntry(shadow, this.keys.get(shadow)?.name)]),
      `${raw ?? nameOf(node)}/${AVERAGE_SUFFIX}`,
    ];
    const average = candidates.find((name) => name !== undefined && this.values.info(name));
    // A saver that reads the averages (an evaluation graph's) has chosen them already.
    if (average !== undefined || raw?.endsWith(`/${AVERAGE_SUFFIX}`)) this.averaged++;
    else this.raw.push(node.name);
    return average ?? raw;
  }

  private sourceEntry(variable: string, saved: string | undefined): string | undefined {
    return this.values.entryOf ? this.values.entryOf(variable, saved) : (saved ?? variable);
  }

  private isChosen(name: string): boolean {
    const { include, exclude } = this.context;
    return (!include || matchesAny(name, include)) && !(exclude && matchesAny(name, exclude));
  }

  /** S008 for variables without an entry: each with the nearest name, unless one rule gives them all theirs. */
  private tellLacking(): void {
    const { diagnostics } = this.context;
    for (const { node, name } of this.lacking.filter(({ isLeftOut }) => isLeftOut)) {
      diagnostics.error(
        'S008',
        `variable "${node.name}" is needed, but freeze.include and freeze.exclude leave "${name}" out`,
        { hint: 'choose it, or rename: { variable: other name }', node: node.name },
      );
    }
    const missing = this.lacking.filter(({ isLeftOut }) => !isLeftOut);
    const rule = missing.length > MAX_SINGLE ? this.renaming(missing.map(({ name }) => name)) : undefined;
    if (rule !== undefined) {
      const names = missing.map(({ node }) => `"${node.name}"`);
      const listedNames = names.slice(0, MAX_SINGLE).join(', ');
      diagnostics.error(
        'S008',
        `${listedNames} and ${names.length - MAX_SINGLE} more variables are not in the checkpoint ${this.values.name}`,
        { hint: rule, node: missing[0].node.name },
      );
      return;
    }
    for (const { node, name } of missing) {
      const as = name === node.name ? '' : ` (as "${name}")`;
      const near = nearest(name, this.values.names());
      diagnostics.error('S008', `variable "${node.name}" is not in the checkpoint ${this.values.name}${as}`, {
        hint: near.length ? `did you mean ${near.map((n) => `"${n}"`).join(' or ')}?` : undefined,
        node: node.name,
      });
    }
  }

  /** The one line that gives all of these variables an entry, where they only stand in another scope there. */
  private renaming(names: readonly string[]): string | undefined {
    const entries = this.values.names();
    const known = new Set(entries);
    const [first] = names;
    // `a/b/w` may be `x/a/b/w` there, `b/w`, or `x/b/w`: what comes after some slash is the same.
    for (let at = 0; at >= 0; at = at === first.lastIndexOf('/') + 1 ? -1 : first.indexOf('/', at) + 1) {
      const [scope, rest] = [first.slice(0, at), first.slice(at)];
      for (const entry of entries) {
        if (entry !== rest && !entry.endsWith(`/${rest}`)) continue;
        const other = entry.slice(0, entry.length - rest.length);
        if (names.every((name) => name.startsWith(scope) && known.has(other + name.slice(at))))
          return `freeze: { rename: { "${scope}*": "${other}*" } }`;
      }
    }
    return undefined;
  }

  /** Tells what concerns the checkpoint as a whole. */
  summarise(): void {
    const { averages, diagnostics, reportSurplus } = this.context;
    this.tellLacking();
    if (averages && this.averaged === 0 && this.raw.length) {
      diagnostics.error('S008', `${this.values.name} has no moving averages of the model's variables`, {
        hint: 'leave out freeze: { variables: ema }',
      });
    } else if (averages && this.raw.length) {
      diagnostics.note('S011', `frozen as trained, without moving averages: ${listed(this.raw)}`);
    }
    if (!reportSurplus) return;
    const known = new Set([...this.used, ...[...this.keys.values()].map((key) => key.name)]);
    const surplus = this.values.names().filter((name) => !known.has(name) && this.isChosen(name));
    if (surplus.length) {
      const message = `${surplus.length} variable${surplus.length > 1 ? 's' : ''} of ${this.values.name} belong${surplus.length > 1 ? '' : 's'} to nothing in the graph: ${listed(surplus)}`;
      diagnostics.note('S011', message);
    }
  }
}

function listed(names: readonly string[]): string {
  return names.slice(0, MAX_LISTED).join(', ') + (names.length > MAX_LISTED ? ', …' : '');
}

/** The name that a variable's resource has; nodes of copies are called otherwise. */
function nameOf(node: Node): string {
  return sharedName(node).replace(/^.*\0/, '');
}

function isPattern(text: string): boolean {
  return /[*?]/.test(text);
}

/** `*` stands for any characters, `?` for one. */
function patternOf(pattern: string): RegExp {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*/g, '(.*)')
    .replace(/\?/g, '(.)');
  return new RegExp(`^${source}$`);
}

function matchesAny(name: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => patternOf(pattern).test(name));
}

/** The name that `rename` gives; what a pattern's stars stood for goes where the new name has stars. */
function renameOf(name: string, rename: Readonly<Record<string, string>>): string | undefined {
  if (Object.hasOwn(rename, name)) return rename[name];
  for (const [pattern, target] of Object.entries(rename)) {
    const match = isPattern(pattern) ? patternOf(pattern).exec(name) : null;
    if (!match) continue;
    let next = 1;
    return target.replace(/[*?]/g, () => match[next++] ?? '');
  }
  return undefined;
}
