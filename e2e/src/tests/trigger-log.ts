import { type Bus, connectBus, storedMessages } from '@tidegate/bus';
import { type FiredEvent, firedEvent, type Tidegate } from '@tidegate/client';
import { type DecisionReply, STREAMS, triggerEventSubject } from '@tidegate/protocol';
import { until } from '@tidegate/testing';

/** Which decisions are meant; default: all. */
export interface Selection {
  readonly run?: string;
  readonly generation?: number;
}

/** All decisions of a trigger, in the order in which they were committed. */
export async function allDecisions(
  sdk: Tidegate,
  name: string,
  selection: Selection = {},
): Promise<readonly DecisionReply[]> {
  const all: DecisionReply[] = [];
  for await (const decision of sdk.triggers.decisions({ name, ...selection })) all.push(decision);
  return all;
}

/** Waits for so many decisions of a trigger and returns all that there are. */
export async function decided(
  sdk: Tidegate,
  name: string,
  count: number,
  { timeoutMs = 20_000, ...selection }: Selection & { readonly timeoutMs?: number } = {},
): Promise<readonly DecisionReply[]> {
  // Followed, not asked for again and again: every answer is a scan of the log, which slows down what is waited for.
  const seen = new AbortController();
  const signal = AbortSignal.any([seen.signal, AbortSignal.timeout(timeoutMs)]);
  let found = 0;
  try {
    for await (const _ of sdk.triggers.followDecisions({ name, ...selection, signal })) if (++found >= count) break;
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    seen.abort();
  }
  if (found < count) throw new Error(`${name} has ${found} of ${count} decisions after ${timeoutMs} ms`);
  return allDecisions(sdk, name, selection);
}

/** The events of a trigger as the stream holds them, doubles and all. */
export async function storedEvents(bus: Bus, trigger: string, run = '*'): Promise<readonly FiredEvent[]> {
  const events: FiredEvent[] = [];
  const subject = triggerEventSubject({ run, trigger, epoch: '*', step: '*' });
  for await (const message of storedMessages(bus, STREAMS.events.name, { subject })) {
    const event = firedEvent(message);
    if (event === undefined) throw new Error(`what ${message.subject} has is no event`);
    events.push(event);
  }
  return events;
}

/** Waits until a trigger has told as many events, and returns those that the stream holds then. */
export async function eventsOf(url: string, trigger: string, count: number): Promise<readonly FiredEvent[]> {
  const bus = await connectBus({ servers: url, name: 'event-reader' });
  try {
    const what = `${count} events of ${trigger}`;
    await until(async () => (await storedEvents(bus, trigger)).length >= count, { what });
    return await storedEvents(bus, trigger);
  } finally {
    await bus.close();
  }
}
