import { encodeBody, NotFoundError, STREAMS, type StreamDescription } from '@tidegate/protocol';
import { DiscardPolicy, RetentionPolicy, StorageType } from 'nats';
import type { Bus } from './bus.js';
import { type PublishAck, publishStored } from './jetstream.js';
import type { HeaderMap } from './message.js';
import { MessageQueue } from './message-queue.js';
import { OrderedConsumer, type StartAt, type StreamMessage } from './ordered-consumer.js';
import { ensureStreamConfig, NANOSECONDS_PER_MS, streamInfo } from './stream-config.js';

/** Creates a stream of the contract where it is missing. @throws StorageFullError, UnavailableError */
export async function ensureStream(
  bus: Bus,
  spec: StreamDescription,
  { replicas = 1 }: { readonly replicas?: number } = {},
): Promise<void> {
  await ensureStreamConfig(bus, {
    name: spec.name,
    subjects: [...spec.subjects],
    storage: StorageType.File,
    discard: spec.discard === 'old' ? DiscardPolicy.Old : DiscardPolicy.New,
    max_bytes: spec.maxBytes,
    max_age: spec.maxAgeMs * NANOSECONDS_PER_MS,
    num_replicas: replicas,
    ...(spec.maxPerSubject !== undefined && { max_msgs_per_subject: spec.maxPerSubject }),
    ...(spec.retention === 'workqueue' && { retention: RetentionPolicy.Workqueue }),
  });
}

/** Creates those streams of the contract that are missing. @throws as `ensureStream` */
export async function ensureStreams(bus: Bus, options: { readonly replicas?: number } = {}): Promise<void> {
  await Promise.all(Object.values(STREAMS).map((spec) => ensureStream(bus, spec, options)));
}

/**
 * Stores an event with a JSON body. With a `msgId` a repetition within two minutes is stored once.
 *
 * @throws StorageFullError, NoResponderError where no stream takes the subject; after AttemptTimeoutError and
 *   DisconnectedError it is unknown whether it was stored
 */
export function publishEvent(
  bus: Bus,
  subject: string,
  body: unknown,
  { msgId, headers }: { readonly msgId?: string; readonly headers?: HeaderMap } = {},
): Promise<PublishAck> {
  const all = { ...headers, ...(msgId !== undefined && { 'Nats-Msg-Id': msgId }) };
  return publishStored(bus, subject, encodeBody(body, 'json'), { headers: all });
}

export interface TailOptions {
  /** Default: all subjects of the stream. */
  readonly subject?: string;
  readonly from: 'new' | 'all' | Date;
  readonly signal?: AbortSignal;
}

/** Follows a stream in order and without gaps until the iteration or the signal ends it. Each `data` is a copy. */
export async function* tail(
  bus: Bus,
  stream: string,
  options: TailOptions,
): AsyncGenerator<StreamMessage, void, undefined> {
  const { subject = '>', from, signal } = options;
  const queue = new MessageQueue();
  let lastSequence: number | undefined;
  const first: StartAt = from instanceof Date ? { time: from } : from;
  const consumer = await OrderedConsumer.open(bus, {
    stream,
    filter: subject,
    start: () => (lastSequence === undefined ? first : { sequence: lastSequence + 1 }),
    onOpen: (last) => {
      // Where nothing has arrived yet, a reading that is opened anew must not skip what comes in between.
      if (from === 'new') lastSequence ??= last;
    },
    onMessage: (message) => {
      lastSequence = message.sequence;
      queue.push(message);
    },
    ready: () => queue.ready(),
  });
  const end = (): void => queue.wake();
  signal?.addEventListener('abort', end, { once: true });
  try {
    while (!signal?.aborted) {
      const message = queue.take();
      if (message) yield message;
      else await queue.more();
    }
  } finally {
    signal?.removeEventListener('abort', end);
    consumer.stop();
  }
}

/** How full a stream is. @throws NotFoundError where there is none of that name */
export async function streamUse(
  bus: Bus,
  name: string,
): Promise<{ readonly messages: number; readonly bytes: number; readonly maxBytes: number }> {
  const info = await streamInfo(bus, name);
  if (!info) throw new NotFoundError(`there is no stream ${name}`);
  return { messages: info.state.messages, bytes: info.state.bytes, maxBytes: info.config.max_bytes };
}
