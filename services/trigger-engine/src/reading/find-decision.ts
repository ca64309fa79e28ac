import { type Bus, messageAt, storedMessages } from '@tidegate/bus';
import { decisionSubject, HEADERS, parseDecisionSubject, STREAMS } from '@tidegate/protocol';
import { decodeDecision, type LoggedDecision } from '../decision-log/logged-decision.js';
import { rootOf } from './trigger-name.js';

/** A decision and its place in the log. */
export interface FoundDecision {
  readonly decision: LoggedDecision;
  readonly sequence: number;
}

export interface DecisionQuery {
  /** Full name. */
  readonly name: string;
  readonly run: string;
  readonly step: number;
  /** Default: the newest that decided the step. */
  readonly generation?: number | undefined;
}

const STREAM = STREAMS.decisions.name;

/** The decision on a step: of the newest generation and epoch, and there the last one. @throws UnavailableError */
export async function findDecision(
  bus: Bus,
  { name, run, step, generation }: DecisionQuery,
  signal: AbortSignal,
): Promise<FoundDecision | undefined> {
  const subject = decisionSubject({ root: rootOf(name), generation: generation ?? '*', run, trigger: name });
  const wanted = String(step);
  let best: { readonly generation: number; readonly epoch: number; readonly sequence: number } | undefined;
  for await (const message of storedMessages(bus, STREAM, { subject, headersOnly: true, signal })) {
    if (message.header(HEADERS.step) !== wanted) continue;
    const found = {
      generation: parseDecisionSubject(message.subject).generation,
      epoch: Number(message.header(HEADERS.epoch)),
      sequence: message.sequence,
    };
    const older = best && (found.generation - best.generation || found.epoch - best.epoch) < 0;
    if (!older) best = found;
  }
  const message = best && (await messageAt(bus, STREAM, best.sequence));
  if (message === undefined) return undefined;
  return { decision: decodeDecision(message.data), sequence: message.sequence };
}
