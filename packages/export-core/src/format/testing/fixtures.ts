/** The fixtures that make_fixtures.py wrote, and helpers of the format specs. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { FloeError } from '../../diagnostics/diagnostic';
import type { Tensor } from '../../tensor/tensor';
import type { Checkpoint } from '../checkpoint';

const ROOT = path.join(__dirname, '..', 'fixtures');

/** The path of a fixture. */
export function fixture(name: string): string {
  return path.join(ROOT, name);
}

export interface ExpectedTensor {
  dtype: string;
  shape: number[];
  /** Hex of the raw bytes, or of each string. */
  bytes?: string;
  strings?: string[];
}

export const EXPECTED = JSON.parse(fs.readFileSync(fixture('expected.json'), 'utf8')) as Record<
  string,
  Record<string, ExpectedTensor>
>;

/** A tensor in the form of expected.json. */
export function described(tensor: Tensor): ExpectedTensor {
  const head = { dtype: tensor.dtype, shape: [...tensor.shape] };
  return tensor.dtype === 'string'
    ? { ...head, strings: tensor.strings.map((s) => Buffer.from(s).toString('hex')) }
    : { ...head, bytes: Buffer.from(tensor.bytes).toString('hex') };
}

/** All variables of a checkpoint in the form of expected.json. */
export function contents(checkpoint: Checkpoint): Record<string, ExpectedTensor> {
  return Object.fromEntries(
    [...checkpoint.entries.keys()].map((name) => [name, described(checkpoint.read(name))]),
  );
}

/** A new empty folder. Removed by `removeTempFolders`. */
export function tempFolder(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'floe-format-'));
  folders.push(folder);
  return folder;
}

const folders: string[] = [];

export function removeTempFolders(): void {
  for (const folder of folders.splice(0)) fs.rmSync(folder, { recursive: true, force: true });
}

/** Copies fixtures into a new folder under the same base names. */
export function copied(...names: string[]): string {
  const folder = tempFolder();
  for (const name of names) fs.copyFileSync(fixture(name), path.join(folder, path.basename(name)));
  return folder;
}

/** The codes of the FloeError that a call throws; any other error goes through, none gives []. */
export function codesOf(call: () => unknown): string[] {
  try {
    call();
  } catch (error) {
    if (error instanceof FloeError) return error.diagnostics.map((d) => d.code);
    throw error;
  }
  return [];
}

/** The text of the FloeError that a call throws, with its hints. */
export function messageOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof FloeError)
      return error.diagnostics.map((d) => `${d.message} | ${d.hint ?? ''}`).join('\n');
    throw error;
  }
  return '';
}
