/** What a finding is, and the models that findings are made on. */

export const IO = `inputs: [{ name: x, tensor: "x:0" }]
outputs: [{ name: y, tensor: "y:0" }]`;
export const graph = (name: string): string => `source: { frozenGraph: FIXTURES/${name}.pb }`;
export const checkpoint = (name: string): string => `source: { checkpoint: FIXTURES/${name} }`;
export const savedModel = (name: string, more = ''): string =>
  `source: { savedModel: FIXTURES/${name}${more} }`;

export interface Finding {
  /** What is run; it says in a few words what is wrong. */
  title: string;
  yaml: string;
  /** Default: validate. */
  until?: 'export-tflite';
  code: string;
  severity?: 'error' | 'warning' | 'note';
  /** The path within model.yaml, as it is found again in the reports. Undefined where the file itself cannot be read so far. */
  at?: string;
  node?: string;
  message?: string | RegExp;
  hint?: string | RegExp;
}

/** A graph with several placeholders, two of which are declared. */
export const PLACEHOLDERS = `${graph('placeholders')}
inputs: [{ name: image, tensor: "image:0" }, { name: scale, tensor: "scale:0" }]`;
