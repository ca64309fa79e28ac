import type { Bus } from './bus.js';
import { isJetStreamError, JS_ERROR, jetStreamApi } from './jetstream.js';
import { MessageQueue } from './message-queue.js';
import { OrderedConsumer, type StreamMessage } from './ordered-consumer.js';

interface ApiMessage {
  readonly message: {
    readonly subject: string;
    readonly seq: number;
    readonly time: string;
    readonly data?: string;
    readonly hdrs?: string;
  };
}

const utf8 = new TextDecoder();

/** Reads one header of the block that JetStream's API tells in base 64. */
function headerReader(block: string | undefined): (name: string) => string {
  const lines = utf8.decode(Buffer.from(block ?? '', 'base64')).split('\r\n');
  return (name) => {
    const line = lines.find((candidate) => candidate.startsWith(`${name}:`));
    return line === undefined ? '' : line.slice(name.length + 1).trim();
  };
}

async function readMessage(bus: Bus, stream: string, body: object): Promise<StreamMessage | undefined> {
  try {
    const { message } = await jetStreamApi<ApiMessage>(bus, `STREAM.MSG.GET.${stream}`, body);
    return {
      subject: message.subject,
      sequence: message.seq,
      storedAt: Date.parse(message.time),
      data: Buffer.from(message.data ?? '', 'base64'),
      header: headerReader(message.hdrs),
    };
  } catch (error) {
    if (isJetStreamError(error, JS_ERROR.noMessage)) return undefined;
    throw error;
  }
}

/** The newest message of one subject, as the stream's leader has it. @throws JetStreamError, UnavailableError */
export function lastMessage(bus: Bus, stream: string, subject: string): Promise<StreamMessage | undefined> {
  return readMessage(bus, stream, { last_by_subj: subject });
}

/** The message with a sequence; none where it is gone or was never there. @throws JetStreamError, UnavailableError */
export function messageAt(bus: Bus, stream: string, sequence: number): Promise<StreamMessage | undefined> {
  return readMessage(bus, stream, { seq: sequence });
}

export interface StoredMessagesOptions {
  /** May have wildcards. */
  readonly subject: string;
  /** First sequence to read; default: all. */
  readonly from?: number;
  readonly headersOnly?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * The messages that a stream holds now, in order; ends with the newest one that was there at some time after the call.
 * Each `data` is a copy.
 *
 * @throws UnavailableError and others where the stream cannot be read; the signal's reason
 */
export async function* storedMessages(
  bus: Bus,
  stream: string,
  { subject, from, headersOnly = false, signal }: StoredMessagesOptions,
): AsyncGenerator<StreamMessage, void, undefined> {
  signal?.throwIfAborted();
  const queue = new MessageQueue();
  let next = from ?? 1;
  let caughtUp = false;
  const consumer = await OrderedConsumer.open(bus, {
    stream,
    filter: subject,
    headersOnly,
    start: () => (next > 1 ? { sequence: next } : 'all'),
    onMessage: (message) => {
      next = message.sequence + 1;
      queue.push(message);
    },
    onCaughtUp: () => {
      caughtUp = true;
      queue.wake();
    },
    ready: () => queue.ready(),
  });
  const end = (): void => queue.wake();
  signal?.addEventListener('abort', end, { once: true });
  try {
    for (;;) {
      signal?.throwIfAborted();
      const message = queue.take();
      if (message) yield message;
      else if (caughtUp) return;
      else await queue.more();
    }
  } finally {
    signal?.removeEventListener('abort', end);
    consumer.stop();
  }
}
