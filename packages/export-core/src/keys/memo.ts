/**
 * Remembers what was computed from a file's content (its digest, its slice of model.yaml) for as long as the file
 * has not been touched.
 *
 * An entry counts only for the same path, size, mtime, ctime, device and inode. They are those of the file that a
 * link leads to: another target is another inode, so the real path is not looked up, which cost as much as all the
 * rest. A file that was written less than 2 s before it was read is not remembered at all: file systems with coarse
 * time stamps (ext3, HFS+, FAT: up to 2 s) could give a later write of the same size the same stamps. The memo only
 * saves work: it may be lost or overwritten by another process at any time.
 */
import { mkdirSync, readFileSync, statSync, type BigIntStats } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from './atomic';
import { removeLeftovers } from './leftovers';

/** Time stamps may be this coarse; nothing younger is trusted. */
const SETTLED_NS = 2_000_000_000n;
/** More entries than any workspace has models and files; the least recently used go first. */
const MAX_ENTRIES = 50_000;
const FORMAT = 1;

interface Entry {
  stamp: string;
  value: unknown;
}

/** A file as it was found: its entry's key and stamp. */
interface Found {
  key: string;
  stamp: string;
  settled: boolean;
}

/** A value that is being computed from a file while others work. */
export interface Begun<T> {
  /** Whether the file is still as it was. */
  isUnchanged(): boolean;
  /** Remembers the value, for the file as it was found. */
  keep(value: T): void;
}

export class Memo {
  private readonly file: string;
  private entries?: Map<string, Entry>;
  private changed = false;

  /** @param folder where memo.json is kept; made on the first `save` */
  constructor(private readonly folder: string) {
    this.file = join(folder, 'memo.json');
  }

  /**
   * What `compute` gives for a file, from memory where that is safe. `kind` tells values of the same file apart; it
   * has to change whenever the code behind `compute` may give something else. The value must be plain JSON.
   * When the file changes while it is read, `compute` runs again, and after a few times in vain its last value is
   * returned unremembered.
   *
   * @throws what `compute` throws; errors of the file system when there is no such file
   */
  get<T>(kind: string, path: string, compute: (path: string) => T): T {
    let before = find(kind, path);
    const known = this.load().get(before.key);
    if (known?.stamp === before.stamp) {
      this.touch(before.key, known);
      return known.value as T;
    }
    for (let tries = 0; ; tries++) {
      const value = compute(path);
      const after = find(kind, path);
      const stable = after.stamp === before.stamp;
      if (!stable && tries < 3) {
        before = after;
        continue;
      }
      // Settled as of before the reading began: what is written during or after it shows in the stamps.
      if (stable && before.settled) {
        this.touch(before.key, { stamp: before.stamp, value });
        this.changed = true;
      }
      return value;
    }
  }

  /**
   * For a value that is to be computed beside other work on the same file: what tells afterwards whether both saw the
   * same file. Undefined when the value is known, or when the file is too young to tell.
   *
   * @throws errors of the file system when there is no such file
   */
  begin<T>(kind: string, path: string): Begun<T> | undefined {
    const { key, stamp, settled } = find(kind, path);
    if (!settled || this.load().get(key)?.stamp === stamp) return undefined;
    return {
      isUnchanged: () => find(kind, path).stamp === stamp,
      keep: (value) => {
        this.touch(key, { stamp, value });
        this.changed = true;
      },
    };
  }

  /** Writes what is new to the folder. A memo that cannot be written is no error. */
  save(): void {
    if (!this.changed) return;
    const kept = [...this.load()].slice(-MAX_ENTRIES);
    try {
      mkdirSync(this.folder, { recursive: true });
      removeLeftovers([this.file]);
      writeFileAtomic(this.file, JSON.stringify({ format: FORMAT, entries: Object.fromEntries(kept) }));
      this.changed = false;
    } catch {
      // A read-only cache folder: the next run computes again.
    }
  }

  private touch(key: string, entry: Entry): void {
    const entries = this.load();
    entries.delete(key);
    entries.set(key, entry);
  }

  private load(): Map<string, Entry> {
    return (this.entries ??= readEntries(this.file));
  }
}

function readEntries(file: string): Map<string, Entry> {
  try {
    const saved: unknown = JSON.parse(readFileSync(file, 'utf8'));
    const { format, entries } = saved as { format: unknown; entries: Record<string, Entry> };
    if (format !== FORMAT) return new Map();
    return new Map(Object.entries(entries).filter(([, e]) => typeof e?.stamp === 'string' && 'value' in e));
  } catch {
    return new Map();
  }
}

function find(kind: string, path: string): Found {
  const now = BigInt(Date.now()) * 1_000_000n;
  const stat: BigIntStats = statSync(path, { bigint: true });
  const newest = stat.mtimeNs > stat.ctimeNs ? stat.mtimeNs : stat.ctimeNs;
  return {
    key: `${kind} ${path}`,
    stamp: [stat.size, stat.mtimeNs, stat.ctimeNs, stat.dev, stat.ino].join(' '),
    settled: now - newest >= SETTLED_NS,
  };
}
