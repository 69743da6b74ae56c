/**
 * Runs workflow files of GitHub Actions and GitLab CI as they are written: their commands in bash, their conditions and
 * variables. What a hosted action does besides is handed in by its name; one that is not known is an error.
 */
import { spawnSync } from 'node:child_process';

type Env = Record<string, string>;

/** What of a job is done: everything that it printed, and the environment that it ended with. */
export interface JobResult {
  name: string;
  code: number;
  output: string;
}

export interface Runner {
  /** A fresh folder for a job; with the content of Git LFS files or with their pointers. */
  checkout(job: string, lfs: boolean): string;
  /** Of every command. */
  env: Env;
}

interface Step {
  name?: string;
  uses?: string;
  with?: Record<string, unknown>;
  run?: string;
}

interface GithubJob {
  if?: string;
  environment?: string;
  env?: Env;
  strategy?: { matrix: Record<string, (string | number)[]> };
  steps: Step[];
}

/** What expressions may name. */
export interface GithubContext {
  github: { event_name: string };
  secrets: Env;
  vars: Env;
}

/** The jobs of a workflow, one after another; a matrix gives several. */
export function runGithub(
  workflow: { env: Env; jobs: Record<string, GithubJob> },
  context: GithubContext,
  { checkout, env }: Runner,
  actions: Record<string, (folder: string, inputs: Record<string, unknown>) => Env>,
): JobResult[] {
  const results: JobResult[] = [];
  for (const [id, job] of Object.entries(workflow.jobs)) {
    const [axis, values] = Object.entries(job.strategy?.matrix ?? { none: [''] })[0];
    for (const value of values) {
      const scope = { ...context, matrix: { [axis]: value } };
      if (job.if !== undefined && !evaluate(job.if, scope)) continue;
      const name = value === '' ? id : `${id} ${value}`;
      const expanded = Object.entries({ ...workflow.env, ...job.env }).map(
        ([key, text]): [string, string] => [key, expand(text, scope)],
      );
      const jobEnv = { ...env, ...Object.fromEntries(expanded) };
      let folder = '';
      let [code, output] = [0, ''];
      for (const { uses, run, with: inputs = {} } of job.steps) {
        if (code !== 0) break;
        const action = uses?.replace(/@.*/, '');
        if (action === 'actions/checkout') folder = checkout(name, inputs.lfs === true);
        else if (action !== undefined) Object.assign(jobEnv, actions[action](folder, inputs));
        else ({ code, output } = bash(folder, expand(run!, scope), jobEnv, output));
      }
      results.push({ name, code, output });
    }
  }
  return results;
}

interface GitlabJob {
  stage: string;
  parallel?: number;
  environment?: { name: string };
  rules: { if: string; variables?: Env }[];
  variables?: Env;
  script: string[];
}

/**
 * The jobs of a pipeline, by stage.
 *
 * @param predefined variables that GitLab sets
 * @param protectedVariables variables of the project by the environment of a job; `*` for all others
 */
export function runGitlab(
  pipeline: Record<string, unknown> & { stages: string[] },
  predefined: Env,
  protectedVariables: Record<string, Env>,
  { checkout, env }: Runner,
): JobResult[] {
  const jobs = Object.entries(pipeline).filter(
    ([, job]) => typeof job === 'object' && job !== null && 'script' in job,
  );
  const results: JobResult[] = [];
  for (const stage of pipeline.stages) {
    for (const [id, job] of jobs as [string, GitlabJob][]) {
      if (job.stage !== stage) continue;
      const rule = job.rules.find((r) => evaluateGitlab(r.if, predefined));
      if (!rule) continue;
      const own: Env = { ...predefined, ...job.variables, ...rule.variables };
      const variables = Object.fromEntries(
        Object.entries(own).map(([key, text]) => [key, substitute(text, own)]),
      );
      const environment = job.environment && substitute(job.environment.name, variables);
      const secrets =
        (environment !== undefined && protectedVariables[environment]) || protectedVariables['*'];
      for (let i = 1; i <= (job.parallel ?? 1); i++) {
        const name = job.parallel === undefined ? id : `${id} ${i}/${job.parallel}`;
        const folder = checkout(name, variables.GIT_LFS_SKIP_SMUDGE !== '1');
        const node = { CI_NODE_INDEX: String(i), CI_NODE_TOTAL: String(job.parallel ?? 1) };
        const jobEnv = { ...env, ...secrets, ...variables, ...node };
        let [code, output] = [0, ''];
        for (const line of job.script)
          if (code === 0) ({ code, output } = bash(folder, line, jobEnv, output));
        results.push({ name, code, output });
      }
    }
  }
  return results;
}

/** A script, as build machines run it; its output behind what was said before. */
export function bash(cwd: string, script: string, env: Env, before = ''): { code: number; output: string } {
  const { status, stdout, stderr, error } = spawnSync('bash', ['-eo', 'pipefail', '-c', script], {
    cwd,
    env,
    encoding: 'utf8',
  });
  if (error) throw error;
  return { code: status ?? 1, output: before + stdout + stderr };
}

/** `${{ a && b || c }}`: where these workflows use it, its language is JavaScript's. */
function expand(text: string, scope: object): string {
  return String(text).replace(/\$\{\{(.+?)\}\}/g, (_, expression: string) =>
    String(evaluate(expression, scope)),
  );
}

function evaluate(expression: string, scope: object): unknown {
  return new Function(...Object.keys(scope), `return ${expression}`)(...Object.values(scope)) as unknown;
}

function evaluateGitlab(expression: string, variables: Env): unknown {
  return evaluate(
    expression.replace(/\$(\w+)/g, (_, name: string) => JSON.stringify(variables[name] ?? null)),
    {},
  );
}

function substitute(text: string, variables: Env): string {
  return String(text).replace(/\$(\w+)/g, (_, name: string) => variables[name] ?? '');
}
