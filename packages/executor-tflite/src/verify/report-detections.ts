/** Detections in the report: the figures, and the boxes of both sides drawn over each other. */
import type { DetectedObject, DetectionResult, DetectionSample } from './compare-detections';

/** Side of a picture, in pixels. */
const WIDTH = 240;

/** HTML for a detector's results. @param table makes a table of headings and rows of HTML */
export function detectionSection(
  { figures, samples }: DetectionResult,
  table: (headings: string[], rows: string[][]) => string,
): string {
  const { detections, found, extra, meanIou, maxScoreError, maxBoxError, meanError } = figures;
  const numbers = table(
    ['#detections', '#found again', '#others', '#mean IoU', '#max |d score|', '#max |d box|', '#mean error'],
    [
      [
        ...[detections, found, extra].map(String),
        meanIou.toFixed(4),
        ...[maxScoreError, maxBoxError, meanError].map((n) => n.toPrecision(3)),
      ],
    ],
  );
  const drawn = samples.map((sample, i) => figure(sample, i));
  return `<h3>Detections</h3>
<p>Each detection of the graph is matched with the nearest one of its class. In the pictures the graph’s boxes are
solid, the model’s dashed; what only one of the two has is red.</p>
${numbers}
<div class="drawings">${drawn.join('\n')}</div>`;
}

function figure(sample: DetectionSample, index: number): string {
  const boxes = [
    ...sample.pairs.flatMap(({ reference, found, atEnd }) => [
      rectangle(reference, found || atEnd ? 'graph' : 'alone'),
      ...(found ? [rectangle(found, 'model')] : []),
    ]),
    ...sample.extra.map((object) => rectangle(object, 'model alone')),
  ];
  return `<figure><svg viewBox="0 0 ${WIDTH} ${WIDTH}" width="${WIDTH}" height="${WIDTH}" role="img"
aria-label="boxes of sample ${index + 1}">${boxes.join('')}</svg><figcaption>sample ${index + 1}</figcaption></figure>`;
}

/** A box of the picture, which goes from 0 to 1 both ways; boxes may leave it. */
function rectangle({ box, category, score }: DetectedObject, kind: string): string {
  const [top, left, bottom, right] = box.map((n) => round(n * WIDTH));
  const title = `class ${category}, score ${score.toFixed(3)}`;
  return `<rect class="${kind}" x="${left}" y="${top}" width="${round(Math.max(0, right - left))}" height="${round(Math.max(0, bottom - top))}"><title>${title}</title></rect>`;
}

function round(n: number): number {
  return Number(n.toFixed(1));
}

export const DETECTION_STYLE = `
.drawings { display: flex; flex-wrap: wrap; gap: 1rem; } figure { margin: 0; }
.drawings svg { border: 1px solid var(--line); overflow: hidden; }
.drawings rect { fill: none; stroke-width: 1.5; stroke: var(--good); }
.drawings rect.model { stroke: currentColor; stroke-dasharray: 4 3; } .drawings rect.alone { stroke: var(--bad); }
`;
