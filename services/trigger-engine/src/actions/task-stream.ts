import { type Bus, JetStreamError } from '@tidegate/bus';
import { encodeBody, STREAMS } from '@tidegate/protocol';

const STREAM = STREAMS.tasks.name;
const TIMEOUT_MS = 5000;
/** The server's numbers for a message, and a consumer, that is not there. */
const NO_MESSAGE = 10037;
const DELETE_FAILED = 10057;
const utf8 = new TextDecoder();

/** How far a consumer of the work queue is. */
export interface QueueConsumer {
  readonly name: string;
  readonly filter: string;
  /** Highest sequence that was delivered. */
  readonly delivered: number;
  /** Delivered and neither acknowledged nor given up. */
  readonly pending: number;
}

interface ListedConsumer {
  readonly name: string;
  readonly config: { readonly filter_subject?: string };
  readonly delivered: { readonly stream_seq: number };
  readonly num_ack_pending: number;
}

/** The consumers of the work queue. @throws UnavailableError, JetStreamError */
export async function queueConsumers(bus: Bus): Promise<QueueConsumer[]> {
  const found: QueueConsumer[] = [];
  for (;;) {
    const page = await call<{ readonly total: number; readonly consumers?: readonly ListedConsumer[] }>(
      bus,
      `CONSUMER.LIST.${STREAM}`,
      { offset: found.length },
    );
    const { consumers = [], total } = page;
    for (const { name, config, delivered, num_ack_pending: pending } of consumers) {
      found.push({ name, filter: config.filter_subject ?? '', delivered: delivered.stream_seq, pending });
    }
    if (consumers.length === 0 || found.length >= total) return found;
  }
}

/** Sequence of the first message of a subject from a sequence on; undefined for none. @throws UnavailableError */
export async function firstInQueue(bus: Bus, subject: string, from: number): Promise<number | undefined> {
  // A work queue allows no consumer beside those that take from it.
  try {
    const request = { seq: from, next_by_subj: subject };
    const { message } = await call<{ readonly message: { readonly seq: number } }>(
      bus,
      `STREAM.MSG.GET.${STREAM}`,
      request,
    );
    return message.seq;
  } catch (error) {
    if (error instanceof JetStreamError && error.errCode === NO_MESSAGE) return undefined;
    throw error;
  }
}

/** Takes a message out of the work queue. @returns false where it is not there (any more) */
export async function deleteFromQueue(bus: Bus, sequence: number): Promise<boolean> {
  try {
    await call(bus, `STREAM.MSG.DELETE.${STREAM}`, { seq: sequence, no_erase: true });
    return true;
  } catch (error) {
    if (error instanceof JetStreamError && (error.errCode === NO_MESSAGE || error.errCode === DELETE_FAILED))
      return false;
    throw error;
  }
}

async function call<T>(bus: Bus, operation: string, body: object): Promise<T> {
  const { data } = await bus.request(`$JS.API.${operation}`, encodeBody(body, 'json'), { timeoutMs: TIMEOUT_MS });
  const reply = JSON.parse(utf8.decode(data)) as T & {
    readonly error?: { readonly err_code?: number; readonly description?: string };
  };
  if (!reply.error) return reply;
  throw new JetStreamError(operation, reply.error.err_code ?? 0, reply.error.description ?? 'unknown error');
}
