#!/usr/bin/env node
// From Node 22 on, compiled code is kept between runs, a sixth of a small export; NODE_DISABLE_COMPILE_CACHE=1 says no.
require('node:module').enableCompileCache?.();
// V8 in Node 20 optimises a function after 67 kB of executed bytecode, far too early for a process of two seconds: it
// optimises most of them several times over. Waiting longer saves a quarter of an export of a small model, and large
// ones lose nothing. Later versions of V8 wait by themselves and know no such flag.
if (process.versions.node.startsWith('20.')) {
  require('node:v8').setFlagsFromString('--interrupt-budget=500000');
}
require('../dist/b/main.js').main(process.argv.slice(2));
