/** What a stage writes: under other names at first, published all at once or not at all. */
import { renameSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { withinDist, writeFileAtomic, writing, type Piece, type Written } from '../keys/atomic';
import { temporaryName } from '../keys/leftovers';
import { outputsOf } from './table';
import type { TargetRef } from './target-key';

export class Staging {
  /** What was written, by path below `dist`. */
  readonly written: Record<string, Written> = {};
  /** Names that files have until they are published, by path. */
  private readonly staged = new Map<string, string>();

  constructor(private readonly dist: string) {}

  /** @throws FloeError as `writeFileAtomic` */
  write(path: string, content: string | Uint8Array | readonly Piece[]): void {
    const own = stagedPath(path);
    this.staged.set(path, own);
    this.written[path] = writeFileAtomic(own, content, this.dist);
  }

  publish(): void {
    for (const [path, own] of this.staged)
      writing(join(this.dist, path), () => renameSync(join(this.dist, own), join(this.dist, path)));
  }

  /** Leaves nothing behind of what was not published, nor the folders made for it. */
  discard(): void {
    if (this.staged.size === 0) return;
    for (const own of this.staged.values()) rmSync(join(this.dist, own), { force: true });
    removeEmpty([...[...this.staged.keys()].map((path) => dirname(join(this.dist, path))), this.dist]);
  }

  /** What an earlier run wrote in place of what this one did is nobody's any more. */
  removeOtherForms({ stage, variant }: TargetRef): void {
    const isWritten = (path: string): boolean => Object.hasOwn(this.written, path);
    const current = new Set([...outputsOf(stage, variant, isWritten), stage.manifest(variant)]);
    const gone = stage.outputs(variant).filter((path) => !current.has(path));
    for (const path of gone) rmSync(withinDist(this.dist, path), { force: true });
    removeEmpty(
      gone.flatMap((path) => [dirname(join(this.dist, path)), dirname(dirname(join(this.dist, path)))]),
    );
  }
}

/** A name beside an artefact's own, for as long as it is not certain; two threads may make the same one again. */
function stagedPath(path: string): string {
  const slash = path.lastIndexOf('/') + 1;
  return path.slice(0, slash) + temporaryName(path.slice(slash), `staged${threadId}`);
}

/** Folders that hold nothing any more, or never did. */
function removeEmpty(folders: readonly string[]): void {
  const innerFirst = [...new Set(folders)].sort((a, b) => b.length - a.length);
  for (const folder of innerFirst) {
    try {
      rmdirSync(folder);
    } catch {
      // Something else is in it, or it is not there.
    }
  }
}
