import { formatBytes } from 'tidegate';
import { title } from './simulation.js';
import type { Check, Outcome } from './stage.js';
import { onlyTheErrorWasCaught } from './trigger-report.js';

/** Figures of all simulations side by side, as lines of text. */
export function figures(outcomes: readonly Outcome[]): string[] {
  const rows: [string, (outcome: Outcome) => string][] = [
    ['', ({ simulation }) => title(simulation)],
    ['staged steps', ({ simulation }) => String(simulation.steps + 1)],
    ['Euler steps', ({ simulation }) => String(simulation.steps * simulation.substeps)],
    ['run time', ({ elapsedMs }) => `${(elapsedMs / 1000).toFixed(1)} s`],
    ['partitions put', ({ totals }) => String(totals.puts)],
    ['bytes put', ({ totals }) => formatBytes(totals.putBytes)],
    ['put rate of a writer', ({ totals }) => rate(totals.putBytes, totals.putMs)],
    ['put, p50', ({ totals }) => milliseconds(totals.putP50Ms)],
    ['halo bytes got', ({ totals }) => formatBytes(totals.haloBytes)],
    ['bytes got by the reader', ({ totals }) => formatBytes(totals.getBytes)],
    ['get rate of the reader', ({ totals }) => rate(totals.getBytes, totals.getMs)],
    ['get, p50', ({ totals }) => milliseconds(totals.getP50Ms)],
    ['steps spilled to disk', ({ spilledSteps }) => String(spilledSteps)],
    ['memory tier, peak', ({ peakMemoryBytes }) => formatBytes(peakMemoryBytes)],
  ];
  const table = rows.map(([name, cell]) => [name, ...outcomes.map(cell)]);
  const widths = ['', ...outcomes].map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  return table.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('   '),
  );
}

/** What was compared, a line for each simulation, and the verdict. */
export function verdict(outcomes: readonly Outcome[]): { readonly lines: string[]; readonly passed: boolean } {
  const equal = outcomes.every(({ checks }) => checks.length > 0 && checks.every((check) => check.equal));
  const lines = outcomes.map(
    ({ simulation, checks }) => `${title(simulation)}: compared ${checks.map(compared).join(', ')}`,
  );
  lines.push(`assembled field equals the serial run bit for bit: ${equal ? 'yes' : 'no'}`);
  const caught = outcomes.every(({ triggers }) => onlyTheErrorWasCaught(triggers));
  const injected = outcomes.filter(({ triggers }) => triggers.injected).length;
  const expected =
    injected === 0 ? 'no error to catch and none caught' : 'the silent error was caught, and nothing else';
  lines.push(`${expected}: ${caught ? 'yes' : 'no'}`);
  return { lines, passed: equal && caught };
}

function compared({ step, tier, equal, differing }: Check): string {
  const from = tier === 'disk' ? 'from disk' : 'from memory';
  return `U and V of step ${step} (${from}${equal ? '' : `; differing values: ${differing}`})`;
}

function rate(count: number, ms: number): string {
  if (!(ms > 0)) return '-';
  const value = count / 2 ** 20 / (ms / 1000);
  return `${value.toFixed(value < 10 ? 1 : 0)} MiB/s`;
}

function milliseconds(ms: number): string {
  return Number.isNaN(ms) ? '-' : `${ms.toFixed(1)} ms`;
}
