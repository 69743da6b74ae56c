/** The verification as a page of its own: no scripts, no assets, nothing that changes from run to run. */
import type { Figures } from './compare';
import { worstLayers, type LayerResult } from './layers';
import { DETECTION_STYLE, detectionSection } from './report-detections';
import type { Verification } from './verification';

const STYLE = `
:root { color-scheme: light dark; --good: #1a7f37; --bad: #c62828; --open: #9a6700; --line: #8884; }
@media (prefers-color-scheme: dark) { :root { --good: #4ac26b; --bad: #ff6b6b; --open: #d4a72c; } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 2rem; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
.agrees { color: var(--good); } .differs { color: var(--bad); } .not-verified { color: var(--open); }
.status { font-weight: 600; white-space: nowrap; }
code { font-size: .95em; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
`;

/** Layers that stand out in the report. */
const MARKED_LAYERS = 5;

/** The page for a verification. */
export function reportPage(verification: Verification): string {
  const { model, rule, samples, runtime, signatures } = verification;
  const outputs = signatures.flatMap((s) => s.outputs);
  const count = (status: string) => outputs.filter((o) => o.status === status).length;
  const verdict = ['agrees', 'differs', 'not verified'].filter(count).map((s) => `${count(s)} ${s}`);
  const near =
    rule.minSqnr === undefined
      ? `Outputs agree where |d| ≤ ${rule.tolerance}·|reference| + ${rule.tolerance / 10}·max(1, max |reference|).`
      : `Outputs agree within ${rule.tolerance}, or from a signal to noise ratio of ${rule.minSqnr} dB on.`;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Verification: ${escape(verdict.join(', '))}</title>
<style>${STYLE}${signatures.some((s) => s.detections) ? DETECTION_STYLE : ''}</style>
<h1>Verification: ${escape(verdict.join(', '))}</h1>
<p>The .tflite file was run by ${escape(`${runtime.name} ${runtime.version}`)} on
${samples.source === 'data' ? 'the given' : 'made-up'} samples and compared with the frozen graph. ${escape(near)}</p>
${signatures.map(signatureSection).join('\n')}
<h2>Model</h2>
${table(
  ['', ''],
  [
    ['size', `${model.bytes} bytes`],
    ['needs TFLite', model.minRuntime || 'any'],
    ['quantisation', model.quantization],
    ...model.inputs.map((i) => [`input of ${i.signature}`, `${i.name}: ${i.dtype} ${i.shape}`]),
    ...model.outputs.map((o) => [`output of ${o.signature}`, `${o.name}: ${o.dtype} ${o.shape}`]),
  ].map((row) => row.map(text)),
)}
<h2>Operators</h2>
${table(
  ['operator', '#version', '#count'],
  model.operators.map((o) => [text(o.name), String(o.version), String(o.count)]),
)}
</html>
`;
}

function signatureSection({
  key,
  samples,
  outputs,
  refusals,
  detections,
  layers,
  layersUnknown,
}: Verification['signatures'][0]): string {
  const rows = outputs.map(({ name, status, reason, reference, figures }) => [
    `<code>${escape(name)}</code>`,
    `<span class="status ${status.replace(' ', '-')}">${status}</span>${reason ? `<br>${escape(reason)}` : ''}`,
    reference ? escape(`${reference.name} ${reference.version}`) : '',
    ...cells(figures),
  ]);
  const others = refusals.map(
    ({ engine, reason }) =>
      `<li>${escape(`${engine.name} ${engine.version} could not run the graph: ${reason}`)}</li>`,
  );
  return `<h2>Signature <code>${escape(key)}</code>, ${samples} sample${samples === 1 ? '' : 's'}</h2>
${table(
  [
    'output',
    'result',
    'compared with',
    '#max |d|',
    '#max |d|/|reference|',
    '#cosine',
    '#SQNR dB',
    '#same top 1',
    '#outside',
    '#elements',
  ],
  rows,
)}
${detections ? detectionSection(detections, table) : ''}
${layers?.length ? layerSection(layers) : ''}
${layersUnknown === undefined ? '' : `<p>Layers could not be compared: ${escape(layersUnknown)}</p>`}
${others.length ? `<ul>${others.join('')}</ul>` : ''}`;
}

/** Layers in the order of the model; those that add most of the noise stand out. */
function layerSection(layers: readonly LayerResult[]): string {
  const worst = new Set(worstLayers(layers, MARKED_LAYERS));
  const rows = layers.map((layer) => [
    `<code${worst.has(layer) ? ' class="differs"' : ''}>${escape(layer.name)}</code>`,
    escape(layer.op),
    decibels(layer.sqnr),
    layer.added === undefined ? '' : decibels(layer.added === 0 ? null : -10 * Math.log10(layer.added)),
  ]);
  return `<h3>Layers</h3>
<p>Signal to noise ratio of what each layer gives: against the float model, and of the layer alone, against its float
operator on the same inputs. The lowest of the latter is where error enters. A rule keeps a layer in float:
<code>rules: [{ match: "name", quantization: none }]</code></p>
${table(['layer', 'operator', '#SQNR dB', '#alone dB'], rows)}`;
}

function decibels(sqnr: number | null): string {
  return sqnr === null ? '∞' : sqnr.toFixed(1);
}

function cells(figures: Figures | undefined): string[] {
  if (!figures) return ['', '', '', '', '', '', ''];
  const { maxAbsoluteError, maxRelativeError, cosine, sqnr, top1, outside, elements } = figures;
  const numbers = [maxAbsoluteError, maxRelativeError].map((n) => n.toPrecision(3));
  return [
    ...numbers,
    cosine.toFixed(6),
    decibels(sqnr),
    top1 === undefined ? '' : `${(100 * top1).toFixed(1)} %`,
    String(outside),
    String(elements),
  ];
}

/** A heading that starts with # is of a column of numbers. Cells are HTML. */
function table(headings: string[], rows: string[][]): string {
  const kind = headings.map((h) => (h.startsWith('#') ? ' class="number"' : ''));
  const head = headings.map((h, i) => `<th${kind[i]}>${escape(h.replace(/^#/, ''))}</th>`).join('');
  const body = rows.map((row) => `<tr>${row.map((cell, i) => `<td${kind[i]}>${cell}</td>`).join('')}</tr>`);
  const header = headings.some(Boolean) ? `<thead><tr>${head}</tr></thead>` : '';
  return `<div class="wide"><table>${header}<tbody>\n${body.join('\n')}\n</tbody></table></div>`;
}

const text = escape;

function escape(value: string): string {
  const codes: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return value.replace(/[&<>"']/g, (c) => codes[c]);
}
