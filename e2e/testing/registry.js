// An npm registry with Floe's packed packages, on loopback; for everything else it sends npm to the usual one. For
// tests: installing is then what a user does, before anything is published. Arguments: a folder of tarballs, and the
// address of the usual registry. Prints its port.
const { createHash } = require('node:crypto');
const { spawnSync } = require('node:child_process');
const { readdirSync, readFileSync } = require('node:fs');
const { createServer } = require('node:http');
const { join } = require('node:path');

const [folder, upstream] = process.argv.slice(2);
const packages = new Map();
for (const file of readdirSync(folder).filter((name) => name.endsWith('.tgz'))) {
  const path = join(folder, file);
  const { stdout } = spawnSync('tar', ['-xzOf', path, 'package/package.json'], { encoding: 'utf8' });
  const meta = JSON.parse(stdout);
  const integrity = `sha512-${createHash('sha512').update(readFileSync(path)).digest('base64')}`;
  packages.set(meta.name, { meta, path, file, integrity });
}

createServer((request, response) => {
  const url = decodeURIComponent(request.url.replace(/\?.*/, ''));
  const tarball = [...packages.values()].find(({ file }) => url === `/tarballs/${file}`);
  if (tarball) return response.writeHead(200).end(readFileSync(tarball.path));
  const found = packages.get(url.slice(1));
  if (!found) return response.writeHead(307, { location: new URL(request.url, upstream).href }).end();
  const { meta, file, integrity } = found;
  const dist = { tarball: `http://${request.headers.host}/tarballs/${file}`, integrity };
  const packument = {
    name: meta.name,
    'dist-tags': { latest: meta.version },
    versions: { [meta.version]: { ...meta, dist } },
  };
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(packument));
}).listen(0, '127.0.0.1', function () {
  process.stdout.write(`${this.address().port}\n`);
});
