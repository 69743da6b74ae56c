/**
 * A worker thread of `runJobs`: takes jobs until there are none left. It imports nothing of Floe itself, so that it
 * can be started before the module that does the work is loaded.
 */
import { parentPort, workerData } from 'node:worker_threads';

/** What a worker is started with. */
export interface WorkerData {
  /** A module that exports `runJob(job)`. */
  module: string;
  jobs: readonly unknown[];
  /** [0]: the next job to take; [slot]: the one that this worker has. */
  shared: Int32Array;
  slot: number;
}

/** What a worker says when a job is done. */
export interface WorkerMessage {
  index: number;
  result: unknown;
}

/**
 * The next job, or undefined when all are taken. The slot is written first: a worker that dies in between has then
 * said which job it took with it.
 */
export function takeJob(shared: Int32Array, slot: number, count: number): number | undefined {
  for (;;) {
    const next = Atomics.load(shared, 0);
    if (next >= count) return undefined;
    Atomics.store(shared, slot, next);
    if (Atomics.compareExchange(shared, 0, next, next + 1) === next) return next;
  }
}

async function work({ module, jobs, shared, slot }: WorkerData): Promise<void> {
  const { runJob } = require(module) as { runJob(job: unknown): Promise<unknown> };
  for (;;) {
    const index = takeJob(shared, slot, jobs.length);
    if (index === undefined) return;
    const message: WorkerMessage = { index, result: await runJob(jobs[index]) };
    parentPort!.postMessage(message);
  }
}

if (parentPort && workerData) void work(workerData as WorkerData);
