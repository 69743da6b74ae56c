/**
 * Convolutions for TensorFlow.js' CPU backend. Its own adds every product to memory; most of the time of a
 * verification went there. Here sixteen sums at a time stay in registers, in double precision.
 *
 *   patches of some output pixels [rows, taps] · filter [taps, filters] ──▶ those pixels [rows, filters]
 */
type Core = typeof import('@tensorflow/tfjs-core');
type KernelFunc = import('@tensorflow/tfjs-core').KernelFunc;
type TensorInfo = import('@tensorflow/tfjs-core').TensorInfo;
type ConvInfo = import('@tensorflow/tfjs-core').backend_util.Conv2DInfo;
type Attributes = import('@tensorflow/tfjs-core').Conv2DAttrs;

/** Rows and filters whose sums are taken together. */
const BLOCK = 4;
/** Output pixels that are gathered at a time; a multiple of BLOCK. */
const ROWS = 64;

/** What is used of the CPU backend. */
interface CpuBackend {
  data: { get(id: object): { values: Float32Array } };
  makeTensorInfo(shape: number[], dtype: 'float32', values: Float32Array): TensorInfo;
}

/** Replaces the kernel. What this one does not take (grouped filters, channels first) the former one still does. */
export function replaceConvolution(core: Core): void {
  const former = core.getKernel('Conv2D', 'cpu');
  const kernelFunc: KernelFunc = (params) => {
    const { x, filter } = params.inputs as unknown as { x: TensorInfo; filter: TensorInfo };
    const attributes = params.attrs as unknown as Attributes;
    const { strides, pad, dilations, dataFormat, dimRoundingMode } = attributes;
    const isTaken =
      dataFormat === 'NHWC' &&
      x.dtype === 'float32' &&
      filter.dtype === 'float32' &&
      x.shape[3] === filter.shape[2];
    if (!isTaken) return former.kernelFunc(params);
    const info = core.backend_util.computeConv2DInfo(
      x.shape as [number, number, number, number],
      filter.shape as [number, number, number, number],
      strides,
      dilations,
      pad,
      dimRoundingMode,
    );
    const backend = params.backend as unknown as CpuBackend;
    const [image, weights] = [x, filter].map(({ dataId }) => backend.data.get(dataId).values);
    return backend.makeTensorInfo(info.outShape, 'float32', convolve(image, weights, info));
  };
  core.unregisterKernel('Conv2D', 'cpu');
  core.registerKernel({ ...former, kernelFunc });
}

function convolve(image: Float32Array, filter: Float32Array, info: ConvInfo): Float32Array {
  const { batchSize, outHeight, outWidth, outChannels: filters } = info;
  const taps = info.filterHeight * info.filterWidth * info.inChannels;
  const columns = columnsOf(filter, taps, filters);
  const patches = new Float32Array(ROWS * taps);
  const pixels = batchSize * outHeight * outWidth;
  const result = new Float32Array(pixels * filters);
  for (let first = 0; first < pixels; first += ROWS) {
    const rows = Math.min(ROWS, pixels - first);
    for (let r = 0; r < rows; r++) gather(image, info, first + r, patches, r * taps);
    multiply(patches, columns, taps, result.subarray(first * filters, (first + rows) * filters), filters);
  }
  return result;
}

/** The filter with the taps of each output channel together; channels of zeros fill the last block. */
function columnsOf(filter: Float32Array, taps: number, filters: number): Float32Array {
  const columns = new Float32Array(Math.ceil(filters / BLOCK) * BLOCK * taps);
  for (let t = 0; t < taps; t++)
    for (let f = 0; f < filters; f++) columns[f * taps + t] = filter[t * filters + f];
  return columns;
}

/** Writes what the window sees at an output pixel. */
function gather(image: Float32Array, info: ConvInfo, pixel: number, patches: Float32Array, at: number): void {
  const { inHeight, inWidth, inChannels, outHeight, outWidth } = info;
  const left = (pixel % outWidth) * info.strideWidth - info.padInfo.left;
  const row = Math.floor(pixel / outWidth);
  const top = (row % outHeight) * info.strideHeight - info.padInfo.top;
  const start = Math.floor(row / outHeight) * inHeight;
  for (let i = 0; i < info.filterHeight; i++) {
    const y = top + i * info.dilationHeight;
    for (let j = 0; j < info.filterWidth; j++, at += inChannels) {
      const x = left + j * info.dilationWidth;
      if (y < 0 || y >= inHeight || x < 0 || x >= inWidth) patches.fill(0, at, at + inChannels);
      else {
        const from = ((start + y) * inWidth + x) * inChannels;
        for (let c = 0; c < inChannels; c++) patches[at + c] = image[from + c];
      }
    }
  }
}

/** Rows times columns, both with their taps together; rows beyond the result's are computed and not kept. */
function multiply(
  rows: Float32Array,
  columns: Float32Array,
  taps: number,
  result: Float32Array,
  filters: number,
): void {
  const sums = new Float64Array(BLOCK * BLOCK);
  const count = result.length / filters;
  for (let c = 0; c < filters; c += BLOCK) {
    for (let r = 0; r < count; r += BLOCK) {
      multiplyBlock(rows, r * taps, columns, c * taps, taps, sums);
      const [height, width] = [Math.min(BLOCK, count - r), Math.min(BLOCK, filters - c)];
      for (let i = 0; i < height; i++)
        for (let j = 0; j < width; j++) result[(r + i) * filters + c + j] = sums[i * BLOCK + j];
    }
  }
}

/** Four rows times four columns. Written out, so that the sums are registers. */
function multiplyBlock(
  rows: Float32Array,
  row: number,
  columns: Float32Array,
  column: number,
  taps: number,
  sums: Float64Array,
): void {
  const [r0, r1, r2, r3] = [row, row + taps, row + 2 * taps, row + 3 * taps];
  const [c0, c1, c2, c3] = [column, column + taps, column + 2 * taps, column + 3 * taps];
  let [s00, s01, s02, s03] = [0, 0, 0, 0];
  let [s10, s11, s12, s13] = [0, 0, 0, 0];
  let [s20, s21, s22, s23] = [0, 0, 0, 0];
  let [s30, s31, s32, s33] = [0, 0, 0, 0];
  for (let t = 0; t < taps; t++) {
    const x0 = rows[r0 + t];
    const x1 = rows[r1 + t];
    const x2 = rows[r2 + t];
    const x3 = rows[r3 + t];
    const w0 = columns[c0 + t];
    const w1 = columns[c1 + t];
    const w2 = columns[c2 + t];
    const w3 = columns[c3 + t];
    s00 += x0 * w0;
    s01 += x0 * w1;
    s02 += x0 * w2;
    s03 += x0 * w3;
    s10 += x1 * w0;
    s11 += x1 * w1;
    s12 += x1 * w2;
    s13 += x1 * w3;
    s20 += x2 * w0;
    s21 += x2 * w1;
    s22 += x2 * w2;
    s23 += x2 * w3;
    s30 += x3 * w0;
    s31 += x3 * w1;
    s32 += x3 * w2;
    s33 += x3 * w3;
  }
  sums.set([s00, s01, s02, s03, s10, s11, s12, s13, s20, s21, s22, s23, s30, s31, s32, s33]);
}
