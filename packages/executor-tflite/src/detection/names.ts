/** The names that export_tflite_ssd_graph.py gives: apps look for them. */

export const POST_PROCESS = 'TFLite_Detection_PostProcess';
export const INPUT = 'normalized_input_image_tensor';
/** Where the app feeds pictures as they are, 0 to 255. */
export const RAW_INPUT = 'input_image_tensor';

/** The outputs' names, in the op's order: boxes, classes, scores, number of detections. */
export const OUTPUTS = [0, 1, 2, 3].map((i) => (i ? `${POST_PROCESS}:${i}` : POST_PROCESS));
