/**
 * Hashes large files in a second thread, while this one reads or writes them: a model of 1.5 GB takes over a second to
 * hash. Results are the same without it: where there is no thread, or it does not answer, callers hash by themselves.
 */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { isMainThread, Worker } from 'node:worker_threads';
import {
  AVAILABLE,
  COMPLETE,
  DIGEST,
  HASHED,
  NEWS,
  SHARED_BYTES,
  STATE,
  States,
  THREAD_NAME,
  type HashJob,
} from './hash-worker';

/** Smaller files are hashed sooner than a thread has started. */
export const LARGE_FILE_BYTES = 1 << 23;

/** How long to wait for a thread that makes no progress. */
const PATIENCE_MS = 10_000;

/** A file that is being hashed. */
export class HashBeside {
  private readonly int: Int32Array;
  private readonly long: BigInt64Array;

  constructor(private readonly shared: SharedArrayBuffer) {
    this.int = new Int32Array(shared);
    this.long = new BigInt64Array(shared);
  }

  /** Says that more bytes of the file are there; `isComplete` when these were the last. */
  advance(bytes: number, isComplete = false): void {
    Atomics.add(this.long, AVAILABLE, BigInt(bytes));
    if (isComplete) Atomics.store(this.int, COMPLETE, 1);
    Atomics.add(this.int, NEWS, 1);
    Atomics.notify(this.int, NEWS);
  }

  /** The sha256 of all bytes, as hexadecimal digits; undefined when the thread failed. Waits for it. */
  digest(): string | undefined {
    for (let seen = -1n; ;) {
      const state = Atomics.load(this.int, STATE);
      if (state === States.done) return Buffer.from(this.shared, DIGEST).toString('hex');
      if (state !== States.waiting && state !== States.running) return undefined;
      if (Atomics.wait(this.int, STATE, state, PATIENCE_MS) !== 'timed-out') continue;
      const hashed = Atomics.load(this.long, HASHED);
      if (hashed === seen) this.giveUp();
      seen = hashed;
    }
  }

  /** Lets the thread stop: nobody wants the digest. */
  giveUp(): void {
    for (const state of [States.waiting, States.running]) {
      if (Atomics.compareExchange(this.int, STATE, state, States.givenUp) === state) break;
    }
    this.advance(0);
  }
}

let thread: Worker | undefined;

/**
 * Begins to hash a file of which there are no bytes yet.
 *
 * @returns undefined where a second thread would be no help: one core, or a thread among as many as there are cores
 */
export function hashBeside(path: string, script = join(__dirname, 'hash-worker.js')): HashBeside | undefined {
  if (!isMainThread || availableParallelism() < 2) return undefined;
  if (!thread) {
    if (!existsSync(script)) return undefined;
    thread = new Worker(script, { workerData: THREAD_NAME });
    // Nothing waits for it to end, and what it cannot do its callers do.
    thread.unref();
    thread.on('error', () => undefined);
  }
  const shared = new SharedArrayBuffer(SHARED_BYTES);
  thread.postMessage({ path, shared } satisfies HashJob);
  return new HashBeside(shared);
}
