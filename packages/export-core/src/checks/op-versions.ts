/**
 * Which TensorFlow brought which op and attribute, and its GraphDef version. `op-versions.json` is written by
 * scripts/op-versions.py from TensorFlow's own releases. What is not in it, the oldest of them has already.
 */
interface OpVersionsJson {
  /** TensorFlow's version and its GraphDef version, oldest first. */
  versions: [string, number][];
  ops: Record<string, string>;
  attrs: Record<string, Record<string, string>>;
}

let table: OpVersionsJson | undefined;

function data(): OpVersionsJson {
  // Loaded on first use, like the registry.
  return (table ??= require('./op-versions.json') as OpVersionsJson);
}

/** Negative when `a` is older; only major and minor version count. */
export function compareReleases(a: string, b: string): number {
  const [x, y] = [a, b].map((v) => v.split('.').map(Number));
  return x[0] - y[0] || (x[1] ?? 0) - (y[1] ?? 0);
}

/** The oldest release of which anything is known. */
export function oldestRelease(): string {
  return data().versions[0][0];
}

/** The release that brought an op; undefined for ops that all known ones have. */
export function opSince(op: string): string | undefined {
  const { ops } = data();
  return Object.hasOwn(ops, op) ? ops[op] : undefined;
}

/** The release that brought an attribute to its op; undefined where it is as old as the op. */
export function attrSince(op: string, attr: string): string | undefined {
  const { attrs } = data();
  return Object.hasOwn(attrs, op) && Object.hasOwn(attrs[op], attr) ? attrs[op][attr] : undefined;
}

/**
 * Whether a release certainly lacks what `since` brought. Of the releases between two known ones it cannot be said
 * which of them brought it.
 */
export function lacks(release: string, since: string): boolean {
  const before = data().versions.findLast(([version]) => compareReleases(version, since) < 0);
  return before !== undefined && compareReleases(release, before[0]) <= 0;
}

/** The oldest release that reads graphs which ask for this GraphDef version; undefined where none does. */
export function releaseReading(minConsumer: number): string | undefined {
  return data().versions.find(([, graphVersion]) => graphVersion >= minConsumer)?.[0];
}

/** The newest release of at most this GraphDef version: about the one that wrote a graph. */
export function releaseOf(producer: number): string | undefined {
  return data().versions.findLast(([, graphVersion]) => graphVersion <= producer)?.[0];
}
