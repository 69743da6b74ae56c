/** Writes tensor bundles (V2 checkpoints) of one shard; checkpoint-bundle.ts has their layout. */
import { crc32c, maskCrc } from '../bytes/crc32c';
import type { Piece } from '../keys/atomic';
import { dtypeCode } from '../tensor/dtype';
import type { Tensor } from '../tensor/tensor';
import { encode } from './proto';
import { shapeToProto } from './tensor-proto';
import { writeTable, type Entry } from './write-table';

/** The format that this writer knows. */
const BUNDLE_VERSION = 1;

/** A tensor's bytes, made when they are written; their checksum is known from then on. */
class Stored {
  private sum: number | undefined;

  constructor(
    readonly name: string,
    readonly tensor: Tensor,
    readonly offset: number,
  ) {}

  get byteLength(): number {
    return this.tensor.byteLength;
  }

  get bytes(): Uint8Array {
    const { bytes } = this.tensor;
    this.sum ??= maskCrc(crc32c(bytes));
    return bytes;
  }

  get checksum(): number {
    if (this.sum === undefined) void this.bytes;
    return this.sum!;
  }
}

/**
 * The two files of a bundle: `<prefix>.data-00000-of-00001` and `<prefix>.index`. Written in this order each tensor is
 * read once; the bytes depend on the tensors alone.
 *
 * @param tensors by name, not of strings
 */
export function writeBundle(tensors: ReadonlyMap<string, Tensor>): { data: Piece[]; index: Piece[] } {
  const names = [...tensors.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  let end = 0;
  const data = names.map((name) => {
    const stored = new Stored(name, tensors.get(name)!, end);
    end += stored.byteLength;
    return stored;
  });
  const index = (checksum: (stored: Stored) => number): Buffer => writeTable(entriesOf(data, checksum));
  // Checksums have a fixed size: how long the index will be is known before they are.
  const { byteLength } = index(() => 1);
  return {
    data,
    index: [
      {
        byteLength,
        get bytes() {
          return index(({ checksum }) => checksum);
        },
      },
    ],
  };
}

function entriesOf(data: readonly Stored[], checksum: (stored: Stored) => number): Entry[] {
  const header = encode('BundleHeaderProto', { num_shards: 1, version: { producer: BUNDLE_VERSION } });
  return [
    [Buffer.alloc(0), header],
    ...data.map((stored): Entry => {
      const { name, tensor, offset, byteLength } = stored;
      const entry = encode('BundleEntryProto', {
        dtype: dtypeCode(tensor.dtype),
        shape: shapeToProto([...tensor.shape]),
        offset: BigInt(offset),
        size: BigInt(byteLength),
        crc32c: checksum(stored),
      });
      return [Buffer.from(name), entry];
    }),
  ];
}
