/**
 * The limits of every reader, in one place: what a file may claim before Floe believes it.
 *
 * A limit is far above what TensorFlow writes and far below what would exhaust a machine; passing one is S010
 * (or S004 where only a damaged file can do it), never a crash or a hang.
 */

/** Levels of nested messages, binary or text: the limit of protobuf's own C++ reader, so TensorFlow's too. */
export const MAX_MESSAGE_NESTING = 100;

/** Bytes of one protobuf message: the format's own limit, 2 GiB less one. */
export const MAX_MESSAGE_BYTES = 2 ** 31 - 1;

/** Bytes of a .tflite file, which is read whole: the largest Buffer of the oldest Node. */
export const MAX_TFLITE_BYTES = 2 ** 32 - 1;

/** Bytes of a text-format file. A string of the parser's must fit in memory several times. */
export const MAX_TEXT_BYTES = 2 ** 31 - 1;

/** Bytes of a `checkpoint` state file: some hundred paths. */
export const MAX_STATE_FILE_BYTES = 16 * 2 ** 20;

/** Bytes of a checkpoint's `.index` file: names and places only. */
export const MAX_INDEX_BYTES = 512 * 2 ** 20;

/** Bytes of one block of a table file, as stored. V1 checkpoints keep whole tensor slices in a block. */
export const MAX_BLOCK_BYTES = 2 ** 31 - 1;

/** Bytes of one snappy-compressed block after decompression (TensorFlow writes blocks of 256 KiB). */
export const MAX_UNCOMPRESSED_BLOCK_BYTES = 2 ** 30;

/** Blocks of one table file. */
export const MAX_TABLE_BLOCKS = 2 ** 22;

/** Entries (keys) of one table file. */
export const MAX_TABLE_ENTRIES = 2 ** 24;

/** Bytes of one key of a table file. */
export const MAX_KEY_BYTES = 2 ** 20;

/** Shards (data files) of one checkpoint; their names have five digits. */
export const MAX_SHARDS = 99_999;

/** Rank of a tensor (TensorFlow's own TensorShape::MaxDimensions). */
export const MAX_RANK = 254;

/** Slices of one partitioned variable. */
export const MAX_SLICES = 2 ** 20;

/** Strings of one string tensor. */
export const MAX_STRINGS = 2 ** 27;

/** Names looked at in a folder when it is searched for checkpoints. */
export const MAX_FOLDER_ENTRIES = 200_000;

/** Bytes read from a file's start to find out what it is. */
export const MAX_SNIFF_BYTES = 64 * 2 ** 10;

/** Top-level fields looked at to tell protobuf files apart. */
export const MAX_SNIFF_FIELDS = 64;

/** Members of a zip archive (.npz, .keras). */
export const MAX_ZIP_ENTRIES = 65_536;

/** Bytes of one array of an .npz after decompression, and of all of them together. */
export const MAX_NPZ_ARRAY_BYTES = 2 ** 32;
export const MAX_NPZ_BYTES = 2 ** 33;

/** Bytes of an .npy header: the dictionary with dtype, order and shape. */
export const MAX_NPY_HEADER_BYTES = 2 ** 20;

/** Bytes that a constant which lists only some of its elements may be spread out to. */
export const MAX_EXPANDED_BYTES = 2 ** 28;

/** Nodes that the bodies of functions make when they replace their calls, copies of copies included. */
export const MAX_INLINED_NODES = 2 ** 20;

/** Nodes of functions that one shape inference walks, a function as often as its arguments differ. */
export const MAX_INFERRED_NODES = 2 ** 22;

/** Bytes of a vocabulary file that is put into the graph. */
export const MAX_VOCABULARY_BYTES = 2 ** 29;

/** Bytes of a pipeline.config: a page or two of text. */
export const MAX_PIPELINE_CONFIG_BYTES = 2 ** 24;

/** Bytes of an image file, and pixels it may claim to have: photographs have some tens of millions. */
export const MAX_IMAGE_BYTES = 2 ** 28;
export const MAX_IMAGE_PIXELS = 2 ** 27;
