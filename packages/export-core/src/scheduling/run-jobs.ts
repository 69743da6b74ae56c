/**
 * Runs many jobs on all cores. This thread works too, and takes the first: workers need a moment to load, which a
 * short list of small models is not kept waiting for. Each thread has one job at a time, so that at most as many
 * models are in memory as there are cores.
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { SHARE_ENV, Worker } from 'node:worker_threads';
import { takeJob, type WorkerData, type WorkerMessage } from './worker';

export interface JobOptions<Job, Result> {
  /** A module that exports `runJob`, for the workers. */
  module: string;
  /** The same function, for this thread. */
  runJob(job: Job): Promise<Result>;
  /** The result of a job whose worker died of it (out of memory, say). */
  died(job: Job, error: Error): Result;
  /** Threads, this one included. Default: FLOE_THREADS, or else one a core. */
  threads?: number;
  /** The built worker; tests give their own. */
  worker?: string;
}

/** Slots of the shared array: 0 is the counter, 1 this thread, then the workers. */
const HERE = 1;

/** How many jobs are run at once. */
export function threadCount(env: NodeJS.ProcessEnv = process.env): number {
  const asked = Number(env.FLOE_THREADS);
  return Number.isInteger(asked) && asked > 0 ? asked : availableParallelism();
}

/**
 * Runs jobs; gives their results in the order of the jobs, each as soon as it and all before it are there. When the
 * caller stops asking, workers are ended.
 *
 * @param jobs what workers can be sent: plain values
 */
export async function* runJobs<Job, Result>(
  jobs: readonly Job[],
  { module, runJob, died, threads = threadCount(), worker: script }: JobOptions<Job, Result>,
): AsyncGenerator<Result> {
  const results = jobs.map(() => deferred<Result>());
  const helpers = Math.max(0, Math.min(threads, jobs.length) - 1);
  const shared = new Int32Array(new SharedArrayBuffer(4 * (HERE + 1 + helpers))).fill(-1);
  shared[0] = 0;
  let stopped = false;

  const workers = Array.from({ length: helpers }, (_, i) => {
    const slot = HERE + 1 + i;
    const data: WorkerData = { module, jobs, shared, slot };
    const worker = new Worker(script ?? join(__dirname, 'worker.js'), { workerData: data, env: SHARE_ENV });
    const finished = new Set<number>();
    worker.on('message', ({ index, result }: WorkerMessage) => {
      finished.add(index);
      results[index].resolve(result as Result);
    });
    const lost = (error: Error): void => {
      // What it held when it died; the others go on with the rest. Without workers, this thread does everything.
      const held = Atomics.load(shared, slot);
      if (held >= 0 && held < Atomics.load(shared, 0) && !finished.has(held))
        results[held].resolve(died(jobs[held], error));
    };
    worker.on('error', lost);
    worker.on('exit', (code) => lost(new Error(`a worker ended with exit code ${code}`)));
    return worker;
  });

  const workHere = async (): Promise<void> => {
    while (!stopped) {
      const index = takeJob(shared, HERE, jobs.length);
      if (index === undefined) return;
      try {
        results[index].resolve(await runJob(jobs[index]));
      } catch (error) {
        results[index].reject(error);
      }
      // What workers have said meanwhile, and what is waited for, comes first.
      await new Promise(setImmediate);
    }
  };

  // Also where nobody has asked for it yet: a rejection is then not unhandled.
  for (const { promise } of results) promise.catch(() => undefined);
  try {
    void workHere();
    for (const { promise } of results) yield await promise;
  } finally {
    stopped = true;
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

interface Deferred<T> {
  promise: Promise<T>;
  resolve(value: T): void;
  reject(error: unknown): void;
}

/** `Promise.withResolvers`, which Node 20 has not. */
function deferred<T>(): Deferred<T> {
  const parts = {} as Deferred<T>;
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
}
