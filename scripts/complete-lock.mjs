// Adds to package-lock.json the optional packages for other platforms that npm left out, because the registry it
// asked has them not: `npm ci` refuses a lock without them. Run after `npm install`, where that happens:
//
//   node scripts/complete-lock.mjs
//
// They are named with version and platform, so that npm skips them elsewhere; their digests are unknown here.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const OS = [
  'darwin',
  'freebsd',
  'linux',
  'win32',
  'android',
  'openbsd',
  'sunos',
  'openharmony',
  'aix',
  'netbsd',
];
const CPU = ['arm64', 'x64', 'ia32', 'arm', 'ppc64', 's390x', 'riscv64', 'loong64', 'wasm32'];
const LIBC = [
  [/musl/, 'musl'],
  [/gnu/, 'glibc'],
];

const file = fileURLToPath(new URL('../package-lock.json', import.meta.url));
const lock = JSON.parse(readFileSync(file, 'utf8'));

/** Whether a package resolves from another's folder, as Node looks for it. */
function resolves(from, name) {
  for (
    let at = from;
    ;
    at = at.includes('/node_modules/') ? at.slice(0, at.lastIndexOf('/node_modules/')) : ''
  ) {
    if (lock.packages[`${at ? `${at}/` : ''}node_modules/${name}`]) return true;
    if (!at) return false;
  }
}

let added = 0;
for (const [path, pkg] of Object.entries({ ...lock.packages })) {
  for (const [name, range] of Object.entries(pkg.optionalDependencies ?? {})) {
    if (resolves(path, name)) continue;
    const words = name.split('/').at(-1).split('-');
    const os = words.find((w) => OS.includes(w));
    const cpu = words.map((w) => w.replace(/^(gnu|musl).*$/, '')).find((w) => CPU.includes(w));
    const libc = os === 'linux' ? LIBC.find(([pattern]) => pattern.test(name))?.[1] : undefined;
    lock.packages[`node_modules/${name}`] = {
      version: range.replace(/^[\^~]/, ''),
      ...(cpu && { cpu: [cpu] }),
      ...(pkg.dev && { dev: true }),
      ...(pkg.devOptional && { devOptional: true }),
      ...(libc && { libc: [libc] }),
      optional: true,
      ...(os && { os: [os] }),
    };
    added++;
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(file, JSON.stringify(lock, null, 2) + '\n');
console.log(`${added} packages added`);
