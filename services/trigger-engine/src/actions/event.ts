import { append, headerSafe, lastMessage } from '@tidegate/bus';
import { encodeBody, HEADERS, STREAMS, triggerEventSubject } from '@tidegate/protocol';
import type { LoggedDecision } from '../decision-log/logged-decision.js';
import { decisionId } from '../semantics/index.js';
import type { ActionContext } from './context.js';
import { eventOfDecision, type Occasion } from './occasion.js';
import { untilStored } from './until-stored.js';

/** Type of the CloudEvent of a fired decision. */
export const EVENT_TYPE = 'dev.tidegate.trigger.fired';

/**
 * The headers of a fired decision's event. The binding keeps the plain `content-type` for telling structured mode, and
 * maps the attribute like any other.
 *
 * Source: CloudEvents 1.0.2 and its NATS protocol binding, binary content mode.
 */
export function eventHeaders(decision: LoggedDecision, sequence: number): Readonly<Record<string, string>> {
  return {
    [HEADERS.ceSpecVersion]: '1.0',
    [HEADERS.ceId]: headerSafe(decisionId(decision)),
    [HEADERS.ceSource]: `/tidegate/trigger/${decision.trigger}`,
    [HEADERS.ceType]: EVENT_TYPE,
    [HEADERS.ceSubject]: `${decision.variable}/${decision.box}`,
    [HEADERS.ceTime]: decision.committedAt,
    [HEADERS.ceDataContentType]: 'application/json',
    [HEADERS.decision]: String(sequence),
  };
}

/**
 * Publishes the event of a decision once, however often it is asked to: on the subject of its step, after the event of
 * an earlier decision on it (of another generation, or partition), but not where its own or a later one stands.
 */
export async function publishFired(context: ActionContext, { decision, sequence, signal }: Occasion): Promise<void> {
  const { bus, logger } = context;
  const subject = triggerEventSubject(decision);
  const body = encodeBody(eventOfDecision(decision), 'json');
  const headers = eventHeaders(decision, sequence);
  let expected = 0;
  const attempt = async (): Promise<void> => {
    for (;;) {
      signal.throwIfAborted();
      if ((await append(bus, subject, body, { expected, headers })) !== undefined) return;
      const standing = await lastMessage(bus, STREAMS.events.name, subject);
      if (standing !== undefined && Number(standing.header(HEADERS.decision)) >= sequence) return;
      expected = standing?.sequence ?? 0;
    }
  };
  await untilStored(attempt, { logger, what: `the event of decision ${decisionId(decision)}`, signal });
}
