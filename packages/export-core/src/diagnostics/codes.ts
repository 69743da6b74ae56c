/**
 * Every diagnostic's code, with its title: the one table that messages, reports and documentation share.
 *
 *   D descriptor (model.yaml) · S source files and formats · G graph and contract · T target and TFLite
 *   Q quantisation · V verification · K keys and caching
 */
export const CODES = {
  D001: 'model.yaml is not valid YAML',
  D002: 'unknown key',
  D003: 'wrong type or value',
  D004: 'missing key',
  D005: 'conflicting keys',
  D007: 'model.yaml cannot be read',
  D008: 'pipeline.config contradicts the graph',

  S001: 'file not found',
  S002: 'file cannot be read',
  S003: 'unrecognised file',
  S004: 'damaged file',
  S005: 'checksum mismatch',
  S006: 'path leaves its folder',
  S007: 'unsupported source',
  S008: 'variable missing in checkpoint',
  S009: 'variable does not fit',
  S010: 'limit exceeded',
  S011: 'variable not used',
  S012: 'no graph with these tags',

  G001: 'tensor not in the graph',
  G002: 'dtype differs',
  G003: 'shape differs',
  G004: 'output does not depend on any input',
  G005: 'input is not needed',
  G006: 'placeholder is not fed',
  G007: 'malformed graph',
  G008: 'unknown op',
  G009: 'duplicate tensor or name',
  G010: 'no outputs',
  G011: 'signature not found',
  G012: 'shape cannot be inferred',
  G013: 'file needed at run time',
  G014: 'node does not fit its op',
  G015: 'types differ along an edge',
  G016: 'output needs training',
  G017: 'built for training',
  G018: 'newer than the target TensorFlow',
  G019: 'needs a GPU in TensorFlow',
  G020: 'signature does not fit the graph',
  G021: 'weights are not finite',
  G022: 'weights are constant',
  G023: 'what the app must feed',
  G024: 'no single-shot detector',
  G025: 'part of the detector not found',

  T001: 'op cannot be converted',
  T002: 'custom op is not allowed',
  T003: 'target has not this op or version',
  T004: 'unknown dimension',
  T005: 'too large',
  T006: 'reading, parsing or looking up in the graph',
  T007: 'control flow cannot be converted',

  Q001: 'calibration data',
  Q002: 'ranges of another model',
  Q003: 'op stays in float',
  Q004: 'measured values',
  Q005: 'rule without effect',
  Q006: 'trained ranges',

  V001: 'output differs',
  V002: 'not verified',
  V003: 'sample data',

  K001: 'no key',
  K002: 'input changed while it was read',
  K003: 'artefact is damaged',
  K004: 'source is not here',
  K005: 'file cannot be written',
  K006: 'source is not the locked one',
  K007: 'keys changed while the command ran',
} as const;

export type Code = keyof typeof CODES;
