import { tablesOf } from './report.js';
import type { Results } from './results.js';
import { markdownLines } from './table.js';

const BEGIN = '<!-- bench:begin -->';
const END = '<!-- bench:end -->';
/** Where a line of prose breaks. */
const WIDTH = 125;

/**
 * The text with the part between its markers written anew from the results.
 *
 * @throws Error where the markers are not there
 */
export function withResults(text: string, results: Results): string {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`expected a part between ${BEGIN} and ${END}`);
  const body = resultLines(results).join('\n');
  return `${text.slice(0, begin)}${BEGIN}\n\n${body}\n\n${text.slice(end)}`;
}

function resultLines({ date, machine, versions, figures }: Results): readonly string[] {
  const software = [
    `Node ${versions.node.replace(/^v/, '')}`,
    ...(versions.nats ? [`nats-server ${versions.nats}`] : []),
  ];
  const where = `\`make bench\` on ${machine.cores} cores (${machine.cpu}), ${software.join(', ')}, everything of \`tidegate up\` in one process, ${date.slice(0, 10)}. Medians of interleaved rounds.`;
  const tables = tablesOf(figures).map((table) => {
    const [lead = '', ...rest] = markdownLines(table);
    return ['', ...wrapped(lead), ...rest];
  });
  return [...wrapped(where), ...tables.flat()];
}

function wrapped(text: string): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
