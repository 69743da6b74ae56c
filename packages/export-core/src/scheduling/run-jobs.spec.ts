import { join } from 'node:path';
import { temporaryFolder, writeFiles } from '../stages/testing/fake-model';
import { runJobs, threadCount } from './run-jobs';
import { builtWorker } from './testing/built-worker';

const folder = temporaryFolder();
const worker = builtWorker(join(__dirname, 'worker.ts'), folder);
const jobModule = join(folder, 'job.js');

/** What workers run: a number is slept and doubled, everything else ends the thread. */
const JOB = `const { threadId } = require('node:worker_threads');
exports.runJob = async (job) => {
  if (job === 'throw') throw new Error('thrown');
  if (job === 'exit') process.exit(7);
  await new Promise((done) => setTimeout(done, job));
  return { value: job * 2, thread: threadId };
};`;

beforeAll(() => writeFiles(folder, { 'job.js': JOB }));

type Job = number | 'throw' | 'exit';
interface Done {
  value: unknown;
  thread: number;
}

async function run(jobs: Job[], threads: number, here: (job: Job) => Promise<Done> = slow): Promise<Done[]> {
  const died = (job: Job, error: Error): Done => ({ value: `${job}: ${error.message}`, thread: -1 });
  const results: Done[] = [];
  const options = { module: jobModule, runJob: here, died, threads, worker };
  for await (const result of runJobs(jobs, options)) results.push(result);
  return results;
}

const slow = async (job: Job): Promise<Done> => {
  await new Promise((done) => setTimeout(done, 20));
  return { value: Number(job) * 2, thread: 0 };
};

it('gives results in the order of the jobs, from several threads', async () => {
  const jobs = Array.from({ length: 40 }, (_, i) => (i * 7) % 11);
  const results = await run(jobs, 3);
  expect(results.map(({ value }) => value)).toEqual(jobs.map((n) => n * 2));
  expect(new Set(results.map(({ thread }) => thread)).size).toBeGreaterThan(1);
});

it.each([1, 4])('runs no job twice and needs no worker for none or one, with %i threads', async (threads) => {
  expect(await run([], threads)).toEqual([]);
  expect(await run([3], threads)).toEqual([{ value: 6, thread: 0 }]);
});

it('loses one job with a worker, and no other', async () => {
  // This thread is kept with the first until the worker has met its end.
  const here = async (job: Job): Promise<Done> => {
    if (job === 1) await new Promise((done) => setTimeout(done, 1500));
    return slow(job);
  };
  for (const [job, message] of [
    ['exit', 'exit: a worker ended with exit code 7'],
    ['throw', 'throw: thrown'],
  ] as const) {
    const results = await run([1, job, 2, 3], 2, here);
    expect(results.map(({ value }) => value)).toEqual([2, message, 4, 6]);
  }
});

it('does everything itself where workers cannot start', async () => {
  const options = {
    module: join(folder, 'none.js'),
    runJob: slow,
    died: () => ({ value: 0, thread: -1 }),
    threads: 3,
    worker,
  };
  const values: unknown[] = [];
  for await (const result of runJobs([1, 2, 3, 4], options)) values.push(result.value);
  expect(values.filter((value) => value === 0).length).toBeLessThanOrEqual(2);
});

it('ends its workers when nobody asks any more', async () => {
  const options = {
    module: jobModule,
    runJob: slow,
    died: () => ({ value: 0, thread: 0 }),
    threads: 2,
    worker,
  };
  for await (const { value } of runJobs<Job, Done>([1, 60_000, 2], options)) {
    expect(value).toBe(2);
    break;
  }
});

it('takes the number of threads from the environment', () => {
  expect(threadCount({ FLOE_THREADS: '3' })).toBe(3);
  expect(threadCount({ FLOE_THREADS: 'many' })).toBe(threadCount({}));
});
