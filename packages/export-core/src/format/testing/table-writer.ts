/** Table files as TensorFlow does not write them by default: with snappy blocks. */
import { compress } from 'snappyjs';
import { storedBlock } from '../write-table';

/** For `writeTable`: blocks that are compressed. */
export function snappyBlock(contents: Uint8Array): Buffer {
  return storedBlock(compress(contents), 1);
}
