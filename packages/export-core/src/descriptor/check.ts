/**
 * Rules between keys of model.yaml. They run on the file's plain value even where single values are wrong, so that
 * a user sees everything at once; each looks only at what has the right type.
 */
import type { Code } from '../diagnostics/codes';
import { CALIBRATED_QUANTIZATIONS, QUANTIZATIONS } from './names';
import type { Path } from './yaml-file';

type Keys = Record<string, unknown>;
type Report = (code: Code, path: Path, message: string, hint?: string) => void;

const SOURCE_KINDS = ['checkpoint', 'savedModel', 'frozenGraph'];

function isMap(value: unknown): value is Keys {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Reports every broken rule of a parsed model.yaml. */
export function checkRules(value: unknown, report: Report): void {
  if (!isMap(value)) return;
  if (isMap(value.source)) checkSource(value.source, report);
  checkContract(value, report);
  if (isMap(value.tflite)) checkLists(value.tflite, ['tflite'], report);
  if (isMap(value.verify)) checkImages(value.verify, ['verify'], report);
  if (isMap(value.variants)) {
    if (Object.keys(value.variants).length === 0) {
      report(
        'D004',
        ['variants'],
        '`variants` has no variant',
        'leave it out, or write `variants: { float: {} }`',
      );
    }
    for (const [name, variant] of Object.entries(value.variants)) {
      if (isMap(variant)) checkVariant(name, variant, report);
    }
  }
}

function checkSource(source: Keys, report: Report): void {
  const given = (key: string): boolean => source[key] !== undefined;
  const kinds = SOURCE_KINDS.filter(given);
  if (kinds.length === 0) {
    const hint = given('graph')
      ? 'a graph needs its `checkpoint`; a graph that is already frozen is a `frozenGraph`'
      : `give one of ${SOURCE_KINDS.join(', ')}`;
    report('D004', ['source'], '`source` names no model', hint);
    return;
  }
  const together = kinds.filter((kind) => !(kind === 'checkpoint' && given('savedModel')));
  for (const kind of together.slice(1)) {
    report(
      'D005',
      ['source', kind],
      `\`source\` has two kinds: \`${together[0]}\` and \`${kind}\``,
      'keep the one that the model comes from',
    );
  }
  if (given('graph') && (!given('checkpoint') || given('savedModel'))) {
    report('D005', ['source', 'graph'], `\`graph\` belongs to a \`checkpoint\`, not to a \`${together[0]}\``);
  }
  if (!given('savedModel')) {
    for (const key of ['tags', 'signature', 'signatures'].filter(given)) {
      report('D005', ['source', key], `\`${key}\` belongs to a \`savedModel\`, not to a \`${together[0]}\``);
    }
  }
  if (given('signature') && given('signatures')) {
    report('D005', ['source', 'signatures'], '`signature` and `signatures` exclude each other');
  }
}

function checkContract(value: Keys, report: Report): void {
  const fromSignature = isMap(value.source) && value.source.savedModel !== undefined;
  const several = value.signatures !== undefined;
  for (const key of ['inputs', 'outputs']) {
    if (several && value[key] !== undefined) {
      report('D005', [key], `\`${key}\` and \`signatures\` exclude each other`, `move it into a signature`);
    }
  }
  checkLists(value, [], report);
  const parts: [Keys, (string | number)[]][] = [[value, []]];
  if (isMap(value.signatures)) {
    for (const [name, signature] of Object.entries(value.signatures)) {
      if (!isMap(signature)) continue;
      checkLists(signature, ['signatures', name], report);
      parts.push([signature, ['signatures', name]]);
    }
  }
  if (fromSignature) return;

  // Only a SavedModel can say by itself what goes in and comes out.
  for (const [part, path] of parts) {
    const isTop = path.length === 0;
    if (isTop && several) continue;
    if (part.outputs === undefined) {
      report('D004', [...path, 'outputs'], '`outputs` is missing', 'see `floe inspect` for likely outputs');
    }
    if (part.inputs === undefined && part.outputs !== 'auto') {
      const hint = 'see `floe inspect` for likely inputs; a model without any has `inputs: []`';
      report('D004', [...path, 'inputs'], '`inputs` is missing', hint);
    }
    requireTensors(part, path, report);
  }
  if (isMap(value.tflite)) requireTensors(value.tflite, ['tflite'], report);
}

function requireTensors(part: Keys, path: Path, report: Report): void {
  for (const key of ['inputs', 'outputs']) {
    list(part[key]).forEach((entry, i) => {
      if (!isMap(entry) || entry.tensor !== undefined) return;
      const name = typeof entry.name === 'string' ? ` of \`${entry.name}\`` : '';
      report(
        'D004',
        [...path, key, i],
        `\`tensor\`${name} is missing`,
        'name the tensor of the graph: `tensor: "node:0"`',
      );
    });
  }
}

/** Names once each; ranges the right way round; at least one output. */
function checkLists(part: Keys, path: Path, report: Report): void {
  for (const key of ['inputs', 'outputs']) {
    const seen = new Map<string, number>();
    list(part[key]).forEach((entry, i) => {
      if (!isMap(entry)) return;
      const at = [...path, key, i];
      if (typeof entry.name === 'string') {
        const first = seen.get(entry.name);
        if (first !== undefined) {
          report(
            'D005',
            [...at, 'name'],
            `\`${entry.name}\` names two ${key}: ${key}[${first}] and ${key}[${i}]`,
          );
        } else {
          seen.set(entry.name, i);
        }
      }
      const [low, high] = list(entry.range);
      if (typeof low === 'number' && typeof high === 'number' && !(low < high)) {
        report('D003', [...at, 'range'], `the range [${low}, ${high}] is empty`, 'smallest value first');
      }
    });
  }
  if (Array.isArray(part.outputs) && part.outputs.length === 0) {
    report('D004', [...path, 'outputs'], '`outputs` is empty: nothing would be left of the graph');
  }
}

/** `images` says how the images of `data` are read. */
function checkImages(part: Keys, path: Path, report: Report): void {
  if (part.images === undefined) return;
  if (part.data === undefined)
    report('D005', [...path, 'images'], '`images` needs `data`: the folder with the images');
  const { mean, std } = isMap(part.images) ? part.images : {};
  if ((Array.isArray(std) ? std : [std]).includes(0))
    report('D003', [...path, 'images', 'std'], '`std` is 0, by which nothing can be divided');
  if (Array.isArray(mean) && Array.isArray(std) && mean.length !== std.length)
    report('D003', [...path, 'images', 'std'], `\`std\` has ${std.length} channels, \`mean\` ${mean.length}`);
}

function checkVariant(name: string, variant: Keys, report: Report): void {
  const quantization = variant.quantization ?? 'none';
  if (isMap(variant.calibration)) checkImages(variant.calibration, ['variants', name, 'calibration'], report);
  if (!(QUANTIZATIONS as readonly unknown[]).includes(quantization)) return;
  const without = (key: string, needs: string): void => {
    const message = `\`${key}\` has no meaning with \`quantization: ${quantization}\`: it needs ${needs}`;
    report('D005', ['variants', name, key], message);
  };
  const calibrated = (CALIBRATED_QUANTIZATIONS as readonly unknown[]).includes(quantization);
  if (variant.calibration !== undefined && !calibrated)
    without('calibration', CALIBRATED_QUANTIZATIONS.join(' or '));
  if (variant.io !== undefined && variant.io !== 'float32' && !calibrated)
    without('io', CALIBRATED_QUANTIZATIONS.join(' or '));
  if (variant.biasCorrection !== undefined && !calibrated)
    without('biasCorrection', CALIBRATED_QUANTIZATIONS.join(' or '));
  for (const key of ['onUnsupported', 'rules']) {
    if (variant[key] !== undefined && quantization === 'none') without(key, 'a quantisation');
  }
}
