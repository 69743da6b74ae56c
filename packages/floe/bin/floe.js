#!/usr/bin/env node
// From Node 22 on, compiled code is kept between runs, a sixth of a small export; NODE_DISABLE_COMPILE_CACHE=1 says no.
require('node:module').enableCompileCache?.();
require('../dist/cli/main.js').main(process.argv.slice(2));
