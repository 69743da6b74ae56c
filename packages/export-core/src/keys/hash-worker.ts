/**
 * The thread of `hash-thread.ts`: hashes one file after another, each as far as it is said to be written. It imports
 * nothing of Floe, so that it is there at once.
 *
 *   shared     int32    0: state   1: 1 when no more bytes come   2: counts news, to wait for
 *              int64    2: bytes there are   3: bytes hashed
 *              uint8    32…63: the digest
 */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';

/** What the thread is started with. */
export const THREAD_NAME = 'floe-hash';

export const SHARED_BYTES = 64;
export const STATE = 0;
export const COMPLETE = 1;
export const NEWS = 2;
export const AVAILABLE = 2;
export const HASHED = 3;
export const DIGEST = 32;

/** What `shared[STATE]` says. Given up: nobody waits for the digest any more. */
export const States = { waiting: 0, running: 1, done: 2, failed: 3, givenUp: 4 } as const;

/** One file to hash. */
export interface HashJob {
  path: string;
  shared: SharedArrayBuffer;
}

const CHUNK_BYTES = 1 << 20;
/** How long it waits before it looks whether it is still wanted. */
const PATIENCE_MS = 1000;

function work({ path, shared }: HashJob): void {
  const int = new Int32Array(shared);
  const end = (state: number): void => {
    Atomics.store(int, STATE, state);
    Atomics.notify(int, STATE);
  };
  if (Atomics.compareExchange(int, STATE, States.waiting, States.running) !== States.waiting) return;
  try {
    end(hash(path, int, new BigInt64Array(shared), new Uint8Array(shared)) ? States.done : States.failed);
  } catch {
    // Whoever waits reads the file itself then, and has the error.
    end(States.failed);
  }
}

/** Whether the digest is there. */
function hash(path: string, int: Int32Array, long: BigInt64Array, bytes: Uint8Array): boolean {
  const sha256 = createHash('sha256');
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  const fd = openSync(path, 'r');
  try {
    for (let done = 0; ;) {
      // In this order: what is complete has no bytes but those that are read of after it.
      const news = Atomics.load(int, NEWS);
      const isComplete = Atomics.load(int, COMPLETE) === 1;
      const available = Number(Atomics.load(long, AVAILABLE));
      while (done < available) {
        const got = readSync(fd, chunk, 0, Math.min(chunk.length, available - done), done);
        if (got === 0 || Atomics.load(int, STATE) === States.givenUp) return false;
        sha256.update(chunk.subarray(0, got));
        done += got;
        Atomics.store(long, HASHED, BigInt(done));
      }
      if (isComplete) break;
      Atomics.wait(int, NEWS, news, PATIENCE_MS);
      if (Atomics.load(int, STATE) === States.givenUp) return false;
    }
  } finally {
    closeSync(fd);
  }
  sha256.digest().copy(bytes, DIGEST);
  return true;
}

// Others, threads among them, only import the numbers above.
if (workerData === THREAD_NAME) parentPort?.on('message', work);
