/** The stages of this package, each loaded when it is first run. */
import type { StageFunctions } from '@floe/export-core';

export const stages: StageFunctions = {
  freeze: (context) => (require('./stages/freeze') as typeof import('./stages/freeze')).freeze(context),
  'export-saved-model': (context) =>
    (require('./stages/export-saved-model') as typeof import('./stages/export-saved-model')).exportSavedModel(
      context,
    ),
};
