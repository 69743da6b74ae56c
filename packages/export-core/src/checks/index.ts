/** Checks of graph and contract that need no target: freeze runs those that are fatal, validate all. */
export * from './check-graph';
export * from './contract';
export * from './cycles';
export * from './environment';
export * from './needed';
export * from './op-versions';
export * from './places';
export * from './preprocessing';
export * from './signatures';
export * from './training';
export * from './weights';
