/** Whether model.lock.json is binding: asked by the hook, which is loaded for every command, and by executors. */

/** Says to executors whether model.lock.json is binding (`frozen`); set by whoever makes the keys. */
export const LOCK_MODE = 'FLOE_LOCK';

/** Whether files have to be those of model.lock.json: in CI and on request. */
export function isLockFrozen(env: NodeJS.ProcessEnv): boolean {
  return env[LOCK_MODE] === 'frozen' || isCI(env);
}

/** Whether a build machine runs this, by what the common ones set. */
export function isCI(env: NodeJS.ProcessEnv): boolean {
  if (['false', '0'].includes(env.CI ?? '')) return false;
  return Boolean(env.CI || env.TF_BUILD || env.JENKINS_URL || env.TEAMCITY_VERSION || env.CODEBUILD_BUILD_ID);
}
