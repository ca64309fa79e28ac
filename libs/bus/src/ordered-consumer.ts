import {
  AckPolicy,
  type ConsumerConfig,
  type ConsumerInfo,
  createInbox,
  DeliverPolicy,
  type Msg,
  ReplayPolicy,
} from 'nats';
import type { Bus } from './bus.js';
import { DisconnectedError } from './bus-errors.js';
import { monotonicNow, sleep } from './clock.js';
import { delivery } from './delivery.js';
import { jetStreamApi } from './jetstream.js';
import { fromNats, type Message } from './message.js';
import { retryDelay, retrying } from './retry.js';
import { NANOSECONDS_PER_MS, streamInfo } from './stream-config.js';

/** A message of a stream. `data` is a view: copy what you keep. */
export interface StreamMessage extends Message {
  readonly sequence: number;
  /** Milliseconds since 1970 when the server stored it. */
  readonly storedAt: number;
}

/** Where to begin reading a stream. */
export type StartAt = 'last-per-subject' | 'new' | 'all' | { readonly sequence: number } | { readonly time: Date };

export interface OrderedConsumerOptions {
  readonly stream: string;
  readonly filter: string;
  readonly headersOnly?: boolean;
  /** Asked at every opening: where the reading has to go on. */
  readonly start: () => StartAt;
  /** Before the messages of a (new) reading; `lastSequence` is the stream's at that time or earlier. */
  readonly onOpen?: (lastSequence: number) => void;
  readonly onMessage: (message: StreamMessage) => void;
  /** Once per reading: all that was there when it was opened has been delivered. */
  readonly onCaughtUp?: () => void;
  /** The reading broke off and is being opened anew. */
  readonly onBroken?: () => void;
  /** Awaited before the server is told to send more. */
  readonly ready?: () => Promise<void>;
}

const HEARTBEAT_MS = 1000;
/** Silence after which the consumer is taken for gone. */
const SILENCE_MS = 3500;
const FIRST_OPEN_MS = 10_000;
const CONTROL = 100;
const EMPTY = new Uint8Array();

function startConfig(start: StartAt): Partial<ConsumerConfig> & { deliver_policy: DeliverPolicy } {
  if (start === 'last-per-subject') return { deliver_policy: DeliverPolicy.LastPerSubject };
  if (start === 'new') return { deliver_policy: DeliverPolicy.New };
  if (start === 'all') return { deliver_policy: DeliverPolicy.All };
  if ('sequence' in start) return { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: start.sequence };
  return { deliver_policy: DeliverPolicy.StartTime, opt_start_time: start.time.toISOString() };
}

/**
 * Reads a stream in order, without gaps, for ever: an ephemeral push consumer that is opened anew after a lost
 * connection, a restarted server, a lost message, or when somebody deleted it.
 */
export class OrderedConsumer {
  readonly #bus: Bus;
  readonly #options: OrderedConsumerOptions;
  readonly #stopped = new AbortController();
  readonly #watchdog: NodeJS.Timeout;
  readonly #forgetReconnect: () => void;
  /** Counts readings; what arrives for an earlier one is dropped. */
  #reading = 0;
  #unsubscribe: () => void = () => {};
  /** Its name at the server. */
  #consumer: string | undefined;
  #consumerSequence = 0;
  #lastHeard = monotonicNow();
  #caughtUp = false;
  #opening = false;

  /** Opens the first reading. @throws UnavailableError and others where that fails for ten seconds */
  static async open(bus: Bus, options: OrderedConsumerOptions): Promise<OrderedConsumer> {
    const consumer = new OrderedConsumer(bus, options);
    try {
      consumer.#opening = true;
      await retrying(() => consumer.#openOnce(), { deadline: monotonicNow() + FIRST_OPEN_MS });
    } catch (error) {
      consumer.stop();
      throw error;
    } finally {
      consumer.#opening = false;
    }
    return consumer;
  }

  private constructor(bus: Bus, options: OrderedConsumerOptions) {
    this.#bus = bus;
    this.#options = options;
    this.#watchdog = setInterval(() => this.#watch(), HEARTBEAT_MS / 2).unref();
    this.#forgetReconnect = bus.onReconnect(() => this.#reopen('the connection was lost'));
  }

  stop(): void {
    this.#stopped.abort();
    this.#reading++;
    clearInterval(this.#watchdog);
    this.#forgetReconnect();
    this.#unsubscribe();
    this.#discard();
  }

  /** Has the server forget the consumer now: by itself it keeps it for seconds, and a stream takes only so many. */
  #discard(): void {
    const name = this.#consumer;
    this.#consumer = undefined;
    if (name === undefined || !this.#bus.connected) return;
    this.#guard(() => this.#bus.publish(`$JS.API.CONSUMER.DELETE.${this.#options.stream}.${name}`, EMPTY));
  }

  async #openOnce(): Promise<void> {
    const { stream, filter, headersOnly, start, onOpen } = this.#options;
    this.#unsubscribe();
    this.#discard();
    const reading = ++this.#reading;
    this.#consumerSequence = 0;
    this.#caughtUp = false;
    const inbox = createInbox();
    const subscription = this.#bus.connection.subscribe(inbox, {
      callback: (error, message) => {
        if (reading !== this.#reading) return;
        if (error) this.#bus.logger.error({ err: error, stream }, 'may not read a stream');
        else this.#guard(() => this.#receive(message));
      },
    });
    this.#unsubscribe = () => subscription.unsubscribe();
    const info = await streamInfo(this.#bus, stream);
    if (reading !== this.#reading) return;
    onOpen?.(info?.state.last_seq ?? 0);
    const created = await jetStreamApi<ConsumerInfo>(this.#bus, `CONSUMER.CREATE.${stream}`, {
      stream_name: stream,
      config: {
        ...startConfig(start()),
        deliver_subject: inbox,
        filter_subject: filter,
        ack_policy: AckPolicy.None,
        replay_policy: ReplayPolicy.Instant,
        max_deliver: 1,
        flow_control: true,
        idle_heartbeat: HEARTBEAT_MS * NANOSECONDS_PER_MS,
        mem_storage: true,
        num_replicas: 1,
        ...(headersOnly && { headers_only: true }),
      },
    });
    this.#consumer = created.name;
    if (reading !== this.#reading) {
      this.#discard();
      return;
    }
    this.#lastHeard = monotonicNow();
    if (created.num_pending === 0 && created.delivered.consumer_seq === 0) this.#reportCaughtUp();
  }

  #receive(message: Msg): void {
    this.#lastHeard = monotonicNow();
    const code = message.headers?.code ?? 0;
    if (code === CONTROL && message.data.length === 0) {
      this.#control(message);
      return;
    }
    if (code >= 300) {
      this.#reopen(`the server ended it: ${message.headers?.description}`);
      return;
    }
    const { consumerSequence, pending, sequence, storedAt } = delivery(message.reply ?? '');
    if (consumerSequence !== this.#consumerSequence + 1) {
      this.#reopen(`expected its message ${this.#consumerSequence + 1}, got ${consumerSequence}`);
      return;
    }
    this.#consumerSequence = consumerSequence;
    this.#guard(() => this.#options.onMessage({ ...fromNats(message), sequence, storedAt }));
    if (pending === 0) this.#reportCaughtUp();
  }

  /** Heartbeats, which tell of lost messages, and requests to confirm the flow, which throttle the server. */
  #control(message: Msg): void {
    const flowSubject = message.reply || message.headers?.get('Nats-Consumer-Stalled');
    if (flowSubject) {
      const confirm = (): void => this.#bus.publish(flowSubject, EMPTY);
      const ready = this.#options.ready?.();
      if (ready) ready.then(confirm).catch(() => this.#reopen('the reader failed'));
      else confirm();
    }
    const last = message.headers?.get('Nats-Last-Consumer');
    if (!last) return;
    if (Number(last) !== this.#consumerSequence)
      this.#reopen(`expected its message ${this.#consumerSequence + 1}, missed it`);
    // Heartbeats come when there is nothing to deliver; what was pending at first may have been superseded or expired.
    else this.#reportCaughtUp();
  }

  #reportCaughtUp(): void {
    if (this.#caughtUp) return;
    this.#caughtUp = true;
    this.#guard(() => this.#options.onCaughtUp?.());
  }

  #watch(): void {
    if (this.#bus.connected && !this.#opening && monotonicNow() - this.#lastHeard > SILENCE_MS)
      this.#reopen('it fell silent');
  }

  #reopen(reason: string): void {
    if (this.#opening || this.#stopped.signal.aborted) return;
    this.#bus.logger.debug({ stream: this.#options.stream, reason }, 'opening a consumer anew');
    this.#opening = true;
    this.#guard(() => this.#options.onBroken?.());
    this.#openUntilOpen()
      .catch((error: unknown) => {
        if (!this.#stopped.signal.aborted) this.#bus.logger.error({ err: error }, 'gave up opening a consumer');
      })
      .finally(() => {
        this.#opening = false;
      });
  }

  async #openUntilOpen(): Promise<void> {
    const { signal } = this.#stopped;
    for (let failures = 0; !signal.aborted; ) {
      try {
        await this.#openOnce();
        return;
      } catch (error) {
        failures++;
        // At the first, second, fourth, … failure.
        if (!(error instanceof DisconnectedError) && (failures & (failures - 1)) === 0) {
          this.#bus.logger.warn(
            { err: error, stream: this.#options.stream, failures },
            'could not open a consumer yet',
          );
        }
        await sleep(retryDelay(error, failures, Math.random), signal);
      }
    }
  }

  /** Runs a callback that must not throw into the client. */
  #guard(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.#bus.logger.error(
        { err: error, stream: this.#options.stream },
        'the reader of a stream failed on a message',
      );
    }
  }
}
