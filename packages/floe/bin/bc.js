const vm=require('vm'),fs=require('fs'),path=require('path'),Module=require('module');
if (process.versions.node.startsWith('20.')) require('node:v8').setFlagsFromString('--interrupt-budget=500000');
const file=path.join(__dirname,'../dist/b/min.js'), cache=file+'.cache';
const src=fs.readFileSync(file,'utf8');
let cachedData; try{cachedData=fs.readFileSync(cache)}catch{}
const s=new vm.Script(Module.wrap(src),{filename:file,cachedData,importModuleDynamically:vm.constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER});
if(cachedData&&s.cachedDataRejected)console.error('rejected');
const m=new Module(file,module);m.filename=file;m.paths=Module._nodeModulePaths(path.dirname(file));
s.runInThisContext()(m.exports,Module.createRequire(file),m,file,path.dirname(file));
if(!cachedData)process.on('exit',()=>fs.writeFileSync(cache,s.createCachedData()));
m.exports.main(process.argv.slice(2));
