import { AckPolicy, type ConsumerInfo, createInbox, DeliverPolicy, type Msg, ReplayPolicy } from 'nats';
import type { Bus } from './bus.js';
import { monotonicNow, sleep } from './clock.js';
import { delivery } from './delivery.js';
import { isJetStreamError, JS_ERROR, jetStreamApi } from './jetstream.js';
import { fromNats, type Message } from './message.js';
import { isTransient, retryDelay, retrying } from './retry.js';
import { NANOSECONDS_PER_MS } from './stream-config.js';

/** A durable consumer from which any number of readers pull, each message going to one of them. */
export interface ConsumerSpec {
  readonly stream: string;
  /** `[A-Za-z0-9_-]+`. */
  readonly name: string;
  /** Subject of the messages. */
  readonly filter: string;
  /** Silence after which a message is handed out anew. */
  readonly ackWaitMs: number;
  /** Times that a message is handed out at most. */
  readonly deliveries: number;
}

/** A message that is this reader's until it is acknowledged, given back, or not heard of for the consumer's `ackWaitMs`. */
export interface PulledMessage extends Message {
  /** In the stream. */
  readonly sequence: number;
  /** Counts the deliveries of this message, from 1. */
  readonly attempt: number;
  /** Milliseconds since 1970 when the server stored it. */
  readonly storedAt: number;
  /**
   * It is done: returns when the server has noted it.
   *
   * @throws UnavailableError, TimeoutError where that is unknown: it may be handed out again
   */
  ack(): Promise<void>;
  /** Gives it back, to be handed out again after a delay. Nobody waits for the server: at worst it comes later. */
  nak(delayMs?: number): void;
  /** Still at it: `ackWaitMs` begin anew. */
  working(): void;
  /** It is never to be handed out again. */
  term(): void;
}

export interface PullOptions {
  /** Most messages at a time; default 1. */
  readonly batch?: number;
  /** Milliseconds to wait for a first message. */
  readonly expiresMs: number;
  readonly signal?: AbortSignal | undefined;
}

const OPEN_MS = 10_000;
const MAX_BATCH = 256;
const ACK_TIMEOUT_MS = 2000;
const ACK_DEADLINE_MS = 4000;
/** The server's signs of life while a request waits, and the silence after which the request is taken for lost. */
const HEARTBEAT_MS = 1000;
const SILENCE_MS = 2500;
/** A reply to a request that does not wait. */
const AT_ONCE_MS = 2000;

const STATUS = { heartbeat: 100, noMessages: 404, timeout: 408 } as const;
const utf8 = new TextEncoder();
const WORD = {
  ack: utf8.encode('+ACK'),
  nak: utf8.encode('-NAK'),
  working: utf8.encode('+WPI'),
  term: utf8.encode('+TERM'),
} as const;

/**
 * Creates a durable consumer where it is missing; a standing one keeps its configuration, which may have been tuned by
 * hand.
 *
 * @returns the consumer as it stands
 * @throws JetStreamError where the stream is missing; StorageFullError, UnavailableError
 */
export async function ensureConsumer(bus: Bus, spec: ConsumerSpec): Promise<ConsumerSpec> {
  const { stream, name, filter, ackWaitMs, deliveries } = spec;
  try {
    return standing(spec, await jetStreamApi<ConsumerInfo>(bus, `CONSUMER.INFO.${stream}.${name}`));
  } catch (error) {
    if (!isJetStreamError(error, JS_ERROR.consumerNotFound)) throw error;
  }
  // The same request of another process at the same time is answered with what that one made.
  const made = await jetStreamApi<ConsumerInfo>(bus, `CONSUMER.DURABLE.CREATE.${stream}.${name}`, {
    stream_name: stream,
    config: {
      durable_name: name,
      filter_subject: filter,
      deliver_policy: DeliverPolicy.All,
      ack_policy: AckPolicy.Explicit,
      ack_wait: ackWaitMs * NANOSECONDS_PER_MS,
      max_deliver: deliveries,
      replay_policy: ReplayPolicy.Instant,
    },
  });
  return standing(spec, made);
}

function standing(spec: ConsumerSpec, { config }: ConsumerInfo): ConsumerSpec {
  const { filter_subject: filter = spec.filter, ack_wait: ackWait, max_deliver: deliveries = spec.deliveries } = config;
  const ackWaitMs = ackWait === undefined ? spec.ackWaitMs : ackWait / NANOSECONDS_PER_MS;
  return { ...spec, filter, deliveries, ackWaitMs };
}

type Pulled = { readonly messages: readonly PulledMessage[] } | { readonly broken: string };

/**
 * Pulls messages from a durable consumer that is made where it is missing. A lost connection, a restarted server or a
 * deleted consumer only lengthens the wait.
 */
export class PullConsumer {
  readonly #bus: Bus;
  readonly #spec: ConsumerSpec;

  /** @throws as `ensureConsumer`, where that fails for ten seconds */
  static async open(bus: Bus, spec: ConsumerSpec, signal?: AbortSignal): Promise<PullConsumer> {
    const found = await retrying(() => ensureConsumer(bus, spec), { deadline: monotonicNow() + OPEN_MS, signal });
    return new PullConsumer(bus, found);
  }

  private constructor(bus: Bus, spec: ConsumerSpec) {
    this.#bus = bus;
    this.#spec = spec;
  }

  /** Milliseconds of silence after which a message is handed out anew. */
  get ackWaitMs(): number {
    return this.#spec.ackWaitMs;
  }

  /**
   * The messages that are there, or the first one that comes; none where none came in time.
   *
   * @throws the signal's reason; what arrives after it is given back
   */
  async next({ batch = 1, expiresMs, signal }: PullOptions): Promise<readonly PulledMessage[]> {
    const deadline = monotonicNow() + expiresMs;
    const most = Math.min(batch, MAX_BATCH);
    for (let failures = 0; ; ) {
      signal?.throwIfAborted();
      const pulled = await this.#pullOnce(most, deadline, signal);
      if ('messages' in pulled) return pulled.messages;
      if (monotonicNow() >= deadline) return [];
      const { stream, name } = this.#spec;
      this.#bus.logger.debug({ stream, consumer: name, reason: pulled.broken }, 'asking a consumer again');
      failures++;
      await sleep(Math.min(retryDelay(undefined, failures, Math.random), deadline - monotonicNow()), signal);
      await this.#repair();
    }
  }

  async #pullOnce(batch: number, deadline: number, signal: AbortSignal | undefined): Promise<Pulled> {
    if (batch > 1) {
      const there = await this.#request({ batch, no_wait: true }, { batch, silenceMs: AT_ONCE_MS, signal });
      if ('broken' in there || there.messages.length > 0) return there;
    }
    const waitMs = Math.max(1, Math.ceil(deadline - monotonicNow()));
    const alive = waitMs > 2 * HEARTBEAT_MS && { idle_heartbeat: HEARTBEAT_MS * NANOSECONDS_PER_MS };
    return this.#request(
      { batch: 1, expires: waitMs * NANOSECONDS_PER_MS, ...alive },
      { batch: 1, silenceMs: SILENCE_MS, signal },
    );
  }

  /** Sends one pull request and collects its answers. */
  #request(
    body: object,
    {
      batch,
      silenceMs,
      signal,
    }: { readonly batch: number; readonly silenceMs: number; readonly signal: AbortSignal | undefined },
  ): Promise<Pulled> {
    const bus = this.#bus;
    if (!bus.connected) return Promise.resolve({ broken: 'not connected' });
    const { stream, name } = this.#spec;
    return new Promise((resolve, reject) => {
      const messages: PulledMessage[] = [];
      let settled = false;
      const inbox = createInbox();
      const subscription = bus.connection.subscribe(inbox, {
        callback: (error, message) => {
          if (error) settle({ broken: error.message });
          else if (!isStatus(message)) receive(message);
          else if (message.headers?.code === STATUS.heartbeat) timer.refresh();
          else end(message);
        },
      });
      const receive = (message: Msg): void => {
        const pulled = this.#pulled(message);
        // After an abort, say: somebody else is to have it at once.
        if (settled) pulled.nak();
        else if (messages.push(pulled) === batch) settle({ messages });
        else timer.refresh();
      };
      const end = ({ headers }: Msg): void => {
        const { code = 0, description = '' } = headers ?? {};
        if (code === STATUS.noMessages || code === STATUS.timeout || messages.length > 0) settle({ messages });
        else settle({ broken: `${code} ${description}` });
      };
      const lost = (broken: string) => (): void => settle(messages.length > 0 ? { messages } : { broken });
      const timer = setTimeout(lost('it fell silent'), silenceMs);
      const forget = bus.onReconnect(lost('the connection was lost'));
      const onAbort = (): void => {
        for (const pulled of messages) pulled.nak();
        settle(undefined);
      };
      const settle = (outcome: Pulled | undefined): void => {
        if (settled) return;
        settled = true;
        clearTimeout(timer);
        forget();
        signal?.removeEventListener('abort', onAbort);
        // What is on its way still comes while the subscription drains, and is given back.
        subscription.drain().catch(() => {});
        if (outcome) resolve(outcome);
        else reject(signal?.reason);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      bus.forward(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${name}`, utf8.encode(JSON.stringify(body)), inbox);
    });
  }

  #pulled(message: Msg): PulledMessage {
    const bus = this.#bus;
    const reply = message.reply ?? '';
    const { sequence, attempt, storedAt } = delivery(reply);
    const send = (data: Uint8Array): void => {
      if (bus.connected) bus.publish(reply, data);
    };
    return {
      ...fromNats(message),
      data: message.data.slice(),
      sequence,
      attempt,
      storedAt,
      ack: async () => {
        await retrying(
          (remainingMs) => bus.request(reply, WORD.ack, { timeoutMs: Math.min(remainingMs, ACK_TIMEOUT_MS) }),
          { deadline: monotonicNow() + ACK_DEADLINE_MS },
        );
      },
      nak: (delayMs = 0) =>
        send(
          delayMs > 0
            ? utf8.encode(`-NAK ${JSON.stringify({ delay: Math.ceil(delayMs) * NANOSECONDS_PER_MS })}`)
            : WORD.nak,
        ),
      working: () => send(WORD.working),
      term: () => send(WORD.term),
    };
  }

  /** Somebody may have deleted the consumer. */
  async #repair(): Promise<void> {
    try {
      if (this.#bus.connected) await ensureConsumer(this.#bus, this.#spec);
    } catch (error) {
      if (!isTransient(error)) throw error;
    }
  }
}

/** A message of the server about the request itself. */
function isStatus({ headers, data }: Msg): boolean {
  return data.length === 0 && (headers?.code ?? 0) >= STATUS.heartbeat;
}
