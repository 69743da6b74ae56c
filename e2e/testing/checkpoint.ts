/** Changes the weights of a V2 checkpoint: rightly, as training would, or so that it is damaged. */
import { readFileSync, writeFileSync } from 'node:fs';
import { crc32c, maskCrc } from '../../packages/export-core/src/bytes/crc32c';
import { RandomAccessFile } from '../../packages/export-core/src/format/file';
import { decode, encode } from '../../packages/export-core/src/format/proto';
import { Table } from '../../packages/export-core/src/format/table';
import { writeTable } from '../../packages/export-core/src/format/write-table';

/** Adds to a float32 variable's first element, with checksums as TensorFlow would write them. */
export function changeWeight(prefix: string, variable: string, by: number): void {
  const { data, file, offset, size, entries, index } = open(prefix, variable);
  data.writeFloatLE(data.readFloatLE(offset) + by, offset);
  writeFileSync(file, data);
  const sum = maskCrc(crc32c(data.subarray(offset, offset + size)));
  const table = entries.map(([key, value]): [Uint8Array, Uint8Array] => {
    if (key.toString() !== variable) return [key, value];
    const entry = decode('BundleEntryProto', value, index);
    return [key, encode('BundleEntryProto', { ...entry, crc32c: sum })];
  });
  writeFileSync(index, writeTable(table));
}

/** Flips one bit of a variable and leaves its checksum. */
export function flipBit(prefix: string, variable: string): void {
  const { data, file, offset } = open(prefix, variable);
  data[offset] ^= 1;
  writeFileSync(file, data);
}

function open(prefix: string, variable: string) {
  const index = `${prefix}.index`;
  const file = `${prefix}.data-00000-of-00001`;
  const opened = new RandomAccessFile(index);
  const entries = [...new Table(opened).entries()].map(({ key, value }): [Buffer, Buffer] => [
    Buffer.from(key),
    Buffer.from(value),
  ]);
  opened.close();
  const [, value] = entries.find(([key]) => key.toString() === variable)!;
  const { offset, size } = decode('BundleEntryProto', value, index);
  return { data: readFileSync(file), file, offset: Number(offset), size: Number(size), entries, index };
}
