import type { DecisionReply } from '@tidegate/protocol';
import { formatNumber } from './number.js';

const LONGEST = 60;

/** Values of checks in one line: `mx 3.25, bad 0`. */
export function valuesText(values: Readonly<Record<string, unknown>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${valueText(value)}`)
    .join(', ');
}

/** One value for people; a long one is cut. */
export function valueText(value: unknown): string {
  if (typeof value === 'number') return formatNumber(value);
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'none');
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

/** A decision in one line. */
export function decisionLine(decision: DecisionReply): string {
  const { run, epoch, step, verdict, state, late, values, reason, generation } = decision;
  const shown = valuesText(values);
  return [
    `generation ${generation}`,
    `run ${run}`,
    `step ${step}${epoch === 0 ? '' : ` of epoch ${epoch}`}`,
    `${verdict} (${state}${late ? ', late' : ''})`,
    ...(shown === '' ? [] : [shown]),
    reason,
  ].join('  ');
}
