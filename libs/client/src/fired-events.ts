import { type Bus, type StreamMessage, tail } from '@tidegate/bus';
import { HEADERS, STREAMS, type TriggerEventBody, triggerEventSchema, triggerEventSubject } from '@tidegate/protocol';

/** A trigger fired: a CloudEvent 1.0 (https://github.com/cloudevents/spec), told once for each decision. */
export interface FiredEvent {
  readonly specversion: string;
  /** The same for whoever reads it, however often: made of its decision. */
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string;
  /** RFC 3339. */
  readonly time: string;
  /** Sequence of the decision in the decision log. */
  readonly decision: number;
  readonly data: TriggerEventBody;
}

export interface EventsOptions {
  /** Full name, `parent~child` for a nested trigger; default: all. */
  readonly trigger?: string;
  /** Default: all runs. */
  readonly run?: string;
  /** New ones, all that are kept, or those since a time; default `new`. */
  readonly from?: 'new' | 'all' | Date;
  readonly signal?: AbortSignal;
}

const utf8 = new TextDecoder();

/** Events of fired decisions in the order in which they were published, until the signal or the iteration ends it. */
export async function* firedEvents(
  bus: Bus,
  { trigger = '*', run = '*', from = 'new', signal }: EventsOptions = {},
): AsyncGenerator<FiredEvent, void, undefined> {
  const subject = triggerEventSubject({ run, trigger, epoch: '*', step: '*' });
  for await (const message of tail(bus, STREAMS.events.name, { subject, from, ...(signal && { signal }) })) {
    const event = firedEvent(message);
    if (event) yield event;
    else bus.logger.warn({ subject: message.subject, sequence: message.sequence }, 'passed over what is no event');
  }
}

/** Reads a message on `triggerEventSubject`; none where somebody else published something else there. */
export function firedEvent({ data, header }: Pick<StreamMessage, 'data' | 'header'>): FiredEvent | undefined {
  let body: unknown;
  try {
    body = JSON.parse(utf8.decode(data));
  } catch {
    return undefined;
  }
  const parsed = triggerEventSchema.safeParse(body);
  if (!parsed.success || header(HEADERS.ceId) === '') return undefined;
  return {
    specversion: header(HEADERS.ceSpecVersion),
    id: header(HEADERS.ceId),
    source: header(HEADERS.ceSource),
    type: header(HEADERS.ceType),
    subject: header(HEADERS.ceSubject),
    time: header(HEADERS.ceTime),
    decision: Number(header(HEADERS.decision)),
    data: parsed.data,
  };
}
