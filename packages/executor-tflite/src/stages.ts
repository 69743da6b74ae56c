/** The stages of this package, each loaded when it is first run. */
import type { StageFunctions } from '@floe/export-core';

export const stages: StageFunctions = {
  validate: (context) =>
    (require('./stages/validate') as typeof import('./stages/validate')).validate(context),
  convert: (context) => (require('./stages/convert') as typeof import('./stages/convert')).convert(context),
  calibrate: (context) =>
    (require('./stages/calibrate') as typeof import('./stages/calibrate')).calibrate(context),
  quantize: (context) =>
    (require('./stages/quantize') as typeof import('./stages/quantize')).quantize(context),
  'export-tflite': (context) =>
    (require('./stages/export-tflite') as typeof import('./stages/export-tflite')).exportTflite(context),
  verify: (context) => (require('./stages/verify') as typeof import('./stages/verify')).verify(context),
};
