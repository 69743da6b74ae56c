/** What a stage reads, and that its key covers just that. */
import { FloeError, type Diagnostic } from '../diagnostics/diagnostic';
import { digestsAhead, type DigestsAhead } from '../keys/digest';
import type { ModelLock } from '../keys/lock';
import type { Memo } from '../keys/memo';
import { absentError, changed, lockMismatch, missingFiles, pointerError } from './source-errors';
import type { StageContext } from './stage';
import {
  keyOver,
  sliceDigest,
  sourcesOf,
  type CodeIdentity,
  type Sources,
  type TargetRef,
} from './target-key';
import { targetName } from './targets';

export interface InputOptions extends CodeIdentity {
  /** The key handed in by whoever scheduled the stage; default: made of the files as they are. */
  key?: string;
  memo: Memo;
  /** Digests of files that are not there. */
  lock?: ModelLock;
  /** Files that are there have to be the lock's. */
  frozenLock?: boolean;
}

export class StageInputs {
  private readonly name: string;
  private readonly slice: string;
  private stageKey: string | undefined;
  private ahead: DigestsAhead | undefined;
  /** As they were when they were first looked at. */
  private sources: Sources | undefined;

  constructor(
    private readonly target: TargetRef,
    private readonly context: StageContext,
    private readonly options: InputOptions,
  ) {
    this.name = targetName(target.stage.name, target.variant);
    this.slice = sliceDigest(target, context.descriptor);
    this.stageKey = options.key;
  }

  /** Known once it was handed in, made or checked. */
  get key(): string {
    if (this.stageKey === undefined)
      throw new Error(`the key of ${this.name} is asked for before it is made`);
    return this.stageKey;
  }

  /** Digests of the sources, once they were checked. */
  get digests(): Sources['digests'] {
    return this.sources?.digests ?? [];
  }

  /**
   * Lets another thread make the digests of large files while the stage reads them, where nothing needs them earlier:
   * all checks then come after the run. What is wrong with the files is told by those.
   */
  hashBeside(): void {
    const { stage, variant } = this.target;
    const { descriptor, root } = this.context;
    if (this.options.frozenLock || !stage.locked(descriptor, variant)) return;
    try {
      const paths = () => stage.files(descriptor, root, variant).map(({ path }) => path);
      this.ahead = digestsAhead(paths, this.options.memo);
    } catch {
      // They are not there, or cannot be read.
    }
  }

  /**
   * Makes the key where none was handed in, unless it comes after the run.
   *
   * @throws FloeError as `sourcesOf`; K006 when files are not the lock's and have to be
   */
  makeKey(): void {
    const { frozenLock } = this.options;
    if (this.ahead || (this.stageKey !== undefined && !frozenLock)) return;
    const found = this.look();
    if (frozenLock) throwIfAny(lockMismatch(this.name, found));
    this.stageKey ??= this.keyOf(found);
  }

  /**
   * Before the run: all that is read is there, and is what the key stands for.
   *
   * @throws FloeError K002, K004
   */
  check(): void {
    if (!this.ahead) this.sources = this.checked(this.look());
  }

  /**
   * After the run: it has read what the key stands for.
   *
   * @throws FloeError K002, K004
   */
  checkUnchanged(): void {
    this.ahead?.finish();
    const found = this.look();
    this.sources ??= this.checked(found);
    if (this.keyOf(found) !== this.key || this.ahead?.isUnchanged() === false)
      throw changed(`what ${this.name} reads was changed while it ran`);
  }

  /** Nobody will ask for digests any more. */
  release(): void {
    this.ahead?.giveUp();
  }

  private keyOf(sources: Sources): string {
    return keyOver(this.target, this.slice, sources, this.options);
  }

  private look(): Sources {
    const { descriptor, root } = this.context;
    const { memo, lock } = this.options;
    try {
      return sourcesOf(this.target, descriptor, root, memo, lock);
    } catch (error) {
      // A missing file is named with its place in model.yaml, where that can be said.
      throwIfAny(missingFiles(this.target, this.context));
      throw error;
    }
  }

  private checked(found: Sources): Sources {
    this.stageKey ??= this.keyOf(found);
    if (this.keyOf(found) !== this.stageKey)
      throw changed(`what ${this.name} reads has changed since its key was made`);
    if (found.absent.length > 0) throw absentError(this.name, found.absent);
    if (found.pointers.length > 0) throw pointerError(found.pointers);
    return found;
  }
}

function throwIfAny(diagnostics: Diagnostic[]): void {
  if (diagnostics.length > 0) throw new FloeError(diagnostics);
}
