/** The files of a SavedModel, below its folder; a module of its own because the table of stages is loaded early. */
export const SAVED_MODEL_FILE = 'saved_model.pb';
export const VARIABLE_FILES = [
  'variables/variables.data-00000-of-00001',
  'variables/variables.index',
] as const;
