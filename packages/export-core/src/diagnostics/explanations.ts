/** What each code means: the one source of docs/diagnostics.md, of `floe explain` and of the help in SARIF. */
import { CODES, type Code } from './codes';
import { GRAPH } from './explanations/graph';
import { MODEL_YAML } from './explanations/model-yaml';
import { SOURCE } from './explanations/source';
import { TARGET } from './explanations/target';

export interface Explanation {
  /** What is wrong and why, in general. */
  cause: string;
  /** A situation in which it comes up, as a line of model.yaml where it can be. */
  example: string;
  /** What to do, as something to type where it can be. */
  cure: string;
}

const EXPLANATIONS: Readonly<Record<Code, Explanation>> = { ...MODEL_YAML, ...SOURCE, ...GRAPH, ...TARGET };

export function explanationOf(code: Code): Explanation {
  return EXPLANATIONS[code];
}

/** `G001`, however it is written; undefined for what is no code. */
export function codeNamed(text: string): Code | undefined {
  const code = text.trim().toUpperCase();
  return Object.hasOwn(CODES, code) ? (code as Code) : undefined;
}

/** Something to type is shown as such: it begins like model.yaml, a command or code. */
function isTyped(text: string): boolean {
  return (
    /^(\w+: |nx |floe |git |tf\.|keras\.|np\.|version: )/.test(text) &&
    !/\. [A-Z]|, (and|where|with|whose|or|then)\b|;| with | in a /.test(text)
  );
}

/** Cause, example and cure of a code, for people. */
export function explanationText(code: Code, markdown = false): string {
  const { cause, example, cure } = explanationOf(code);
  const shown = (text: string): string => {
    if (!isTyped(text)) return text;
    return markdown ? `\`${text.replace(/\n/g, ' ⏎ ')}\`` : text;
  };
  const label = (text: string): string => (markdown ? `**${text}**` : text);
  return `${cause}\n\n${label('Example:')} ${shown(example)}\n\n${label('Cure:')} ${shown(cure)}`;
}

/** docs/diagnostics.md as a whole. */
export function diagnosticsDocument(): string {
  const entries = (Object.keys(CODES) as Code[]).map(
    (code) => `## ${code}: ${CODES[code]}\n\n${explanationText(code, true)}\n`,
  );
  return `# Diagnostics

Every message has a code, the place, the cause and, where there is one, the cure. D is model.yaml, S source files, G graph and contract, T target, Q quantisation, V verification, K caching. \`floe explain CODE\` prints an entry.

<!-- Written by scripts/generate-diagnostics.mjs from packages/export-core/src/diagnostics: edit it there. -->

${entries.join('\n')}`;
}
