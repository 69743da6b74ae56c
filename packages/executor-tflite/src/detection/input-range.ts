/** What numbers a detector is fed, where model.yaml does not say it. */
import { INPUT, RAW_INPUT } from './names';

/** Preprocessors of the Object Detection API bring pictures to -1 … 1, but for those that only subtract a mean. */
const RANGES: Readonly<Record<string, readonly [number, number]>> = {
  [INPUT]: [-1, 1],
  [RAW_INPUT]: [0, 255],
};

/** Smallest and largest number of an input of that tensor name; undefined for others than a detector's. */
export function inputRange(tensor: string): readonly [number, number] | undefined {
  const name = tensor.replace(/:0$/, '');
  return Object.hasOwn(RANGES, name) ? RANGES[name] : undefined;
}
