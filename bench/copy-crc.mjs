// A plain copy of a file with a native CRC over its bytes: what the disk and one look at each byte cost.
//
//   node copy-crc.mjs FROM TO
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';

const [from, to] = process.argv.slice(2);
const [source, target] = [openSync(from, 'r'), openSync(to, 'w')];
const chunk = Buffer.allocUnsafe(1 << 23);
let sum = 0;
for (let got = readSync(source, chunk); got > 0; got = readSync(source, chunk)) {
  const bytes = chunk.subarray(0, got);
  sum = crc32(bytes, sum);
  writeSync(target, bytes);
}
closeSync(source);
closeSync(target);
console.log(sum.toString(16));
