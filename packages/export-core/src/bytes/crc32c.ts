/**
 * CRC-32C (Castagnoli, polynomial 0x1EDC6F41, reflected 0x82F63B78), the checksum of table blocks and tensors; and
 * CRC-32 (0x04C11DB7, reflected 0xEDB88320), that of zip archives, which is the same but for its polynomial.
 *
 * Slicing by 16: sixteen tables let one step take sixteen bytes, four 32-bit words, without a dependency from
 * byte to byte. T[k][b] is the CRC of byte b followed by k zero bytes; all in one array, table k at 256 k.
 */
const CASTAGNOLI = makeTables(0x82f63b78);
const NO_WORDS = new Int32Array(0);
let zip: Int32Array | undefined;

function makeTables(polynomial: number): Int32Array {
  const tables = new Int32Array(16 * 256);
  for (let b = 0; b < 256; b++) {
    let crc = b;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    tables[b] = crc;
  }
  for (let i = 256; i < tables.length; i++) {
    const before = tables[i - 256];
    tables[i] = (before >>> 8) ^ tables[before & 255];
  }
  return tables;
}

/**
 * The CRC-32C of `bytes`, as an unsigned 32-bit number.
 *
 * @param crc the result for the bytes before these, to checksum data piece by piece
 */
export function crc32c(bytes: Uint8Array, crc = 0): number {
  return update(CASTAGNOLI, bytes, crc);
}

/** The CRC-32 of zip archives, as `crc32c`. (node:zlib has one only from Node 20.15 on.) */
export function crc32(bytes: Uint8Array, crc = 0): number {
  return update((zip ??= makeTables(0xedb88320)), bytes, crc);
}

function update(T: Int32Array, bytes: Uint8Array, crc: number): number {
  let c = ~crc;
  const length = bytes.length;
  let i = 0;
  // The word view needs an aligned start.
  const head = Math.min(length, -bytes.byteOffset & 3);
  while (i < head) c = (c >>> 8) ^ T[(c ^ bytes[i++]) & 255];
  const words =
    length - i < 16 ? NO_WORDS : new Int32Array(bytes.buffer, bytes.byteOffset + i, (length - i) >>> 2);
  const whole = words.length & ~3;
  for (let w = 0; w < whole; w += 4) {
    const w0 = words[w] ^ c;
    const w1 = words[w + 1];
    const w2 = words[w + 2];
    const w3 = words[w + 3];
    c =
      T[3840 | (w0 & 255)] ^
      T[3584 | ((w0 >>> 8) & 255)] ^
      T[3328 | ((w0 >>> 16) & 255)] ^
      T[3072 | (w0 >>> 24)] ^
      T[2816 | (w1 & 255)] ^
      T[2560 | ((w1 >>> 8) & 255)] ^
      T[2304 | ((w1 >>> 16) & 255)] ^
      T[2048 | (w1 >>> 24)] ^
      T[1792 | (w2 & 255)] ^
      T[1536 | ((w2 >>> 8) & 255)] ^
      T[1280 | ((w2 >>> 16) & 255)] ^
      T[1024 | (w2 >>> 24)] ^
      T[768 | (w3 & 255)] ^
      T[512 | ((w3 >>> 8) & 255)] ^
      T[256 | ((w3 >>> 16) & 255)] ^
      T[w3 >>> 24];
  }
  i += whole * 4;
  while (i < length) c = (c >>> 8) ^ T[(c ^ bytes[i++]) & 255];
  return ~c >>> 0;
}

const MASK_DELTA = 0xa282ead8;

/**
 * The stored form of a CRC: table files and tensor bundles rotate it and add a constant, so that a checksum of
 * data that itself contains checksums stays good.
 */
export function maskCrc(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0;
}

/** The CRC from its stored form; the inverse of `maskCrc`. */
export function unmaskCrc(masked: number): number {
  const rotated = (masked - MASK_DELTA) >>> 0;
  return ((rotated >>> 17) | (rotated << 15)) >>> 0;
}
