/**
 * The engines that calibrate and verify would choose here, without loading any: their names and versions are part of
 * those stages' keys, because another engine gives other numbers.
 */

let identity: string | undefined;

/** `@litertjs/core@2.5.3 tfjs@4.22.0 …`, looked up once a process; engines that are not installed are left out. */
export function engineIdentity(): string {
  if (identity === undefined) {
    const { litertEngine } = require('../verify/litert-module') as typeof import('../verify/litert-module');
    const { ENGINES } = require('../verify/graph-runner') as typeof import('../verify/graph-runner');
    const graphEngines = ENGINES.map((engine) => ({ name: engine.name, version: engine.version() }));
    identity = [litertEngine(), ...graphEngines]
      .flatMap(({ name, version }) => (version === undefined ? [] : `${name}@${version}`))
      .join(' ');
  }
  return identity;
}
