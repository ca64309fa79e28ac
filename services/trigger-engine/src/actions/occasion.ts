import type { TriggerEventBody } from '@tidegate/protocol';
import type { LoggedDecision } from '../decision-log/logged-decision.js';
import { eventOf, type OutboxEntry } from '../semantics/index.js';

/** A committed decision whose actions are being done. */
export interface Occasion {
  readonly decision: LoggedDecision;
  /** Of the decision in its stream: rises from decision to decision. */
  readonly sequence: number;
  readonly signal: AbortSignal;
}

/** The entry of one kind of action. */
export type EntryOf<K extends OutboxEntry['kind']> = Extract<OutboxEntry, { readonly kind: K }>;

/** The event of a decision: every message to the outside tells it. */
export function eventOfDecision(decision: LoggedDecision): TriggerEventBody {
  return eventOf(decision, { variable: decision.variable, box: decision.box });
}
