// A remote cache as Nx asks for one (GET and PUT /v1/cache/HASH, bearer tokens), in memory, on loopback. For tests:
// it runs as a process of its own, because the tests wait for Nx synchronously. Prints its port; /log says who did what.
const { createServer } = require('node:http');

const entries = new Map();
const log = [];

createServer((request, response) => {
  const end = (status, body) => response.writeHead(status, { connection: 'close' }).end(body);
  if (request.url === '/log') return end(200, JSON.stringify(log.splice(0)));
  if (request.url === '/clear') return end(200, String(entries.clear()));
  const token = request.headers.authorization;
  if (token !== 'Bearer writer' && token !== 'Bearer reader') return end(401);
  const hash = request.url.replace('/v1/cache/', '');
  if (request.method === 'GET') {
    log.push(`${entries.has(hash) ? 'hit' : 'miss'} ${hash}`);
    return entries.has(hash) ? end(200, entries.get(hash)) : end(404);
  }
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    log.push(`${token === 'Bearer writer' ? 'put' : 'refused'} ${hash}`);
    if (token !== 'Bearer writer') return end(403);
    entries.set(hash, Buffer.concat(chunks));
    end(200);
  });
}).listen(0, '127.0.0.1', function () {
  process.stdout.write(`${this.address().port}\n`);
});
