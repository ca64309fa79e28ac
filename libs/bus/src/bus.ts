import { decodeBody, encodeBody } from '@tidegate/protocol';
import { DebugEvents, Events, type NatsConnection, type Status } from 'nats';
import { DisconnectedError, fromNatsError, publishError } from './bus-errors.js';
import { settledWithin } from './clock.js';
import { errorOfReply } from './error-reply.js';
import type { LocalExchange } from './local-exchange.js';
import type { Logger } from './logger.js';
import { fromNats, type HeaderMap, type Message, toNatsHeaders } from './message.js';
import { type ReplyHandler, RequestMux, type RequestMuxOptions, type RequestOptions } from './request-mux.js';

/** What a bus is made with beside its connection. */
export interface BusOptions extends RequestMuxOptions {
  readonly logger: Logger;
}

/** How long `close` waits for what is under way. */
const CLOSE_MS = 5000;

/**
 * A connection to NATS: requests, publishes, plain subscriptions. Services, buckets, streams and leases are functions
 * and classes that take it.
 */
export class Bus {
  /** The client's connection, for libs/bus alone. */
  readonly connection: NatsConnection;
  readonly logger: Logger;
  /** To be told the bytes of each payload that came or goes. */
  readonly onPayload: (bytes: number) => void;
  /** Shared with other connections of this process, for libs/bus alone. */
  readonly exchange: LocalExchange | undefined;
  /** Settles when the connection is closed for good, with the error that closed it. */
  readonly closed: Promise<Error | undefined>;
  readonly #mux: RequestMux;
  readonly #onReconnect = new Set<() => void>();
  #connected = true;

  constructor(connection: NatsConnection, { logger, onPayload, exchange }: BusOptions) {
    this.connection = connection;
    this.logger = logger;
    this.onPayload = onPayload;
    this.exchange = exchange;
    this.#mux = new RequestMux(connection, { onPayload, exchange });
    this.closed = connection.closed().then(
      (error) => this.#ended(error ?? undefined),
      (error: Error) => this.#ended(error),
    );
    this.#follow(connection.status()).catch((error: unknown) => {
      logger.error({ err: error }, 'lost track of the state of the NATS connection');
    });
  }

  /** False while the connection is lost and being made anew. */
  get connected(): boolean {
    return this.#connected;
  }

  /** Bytes that one message may have, headers included. */
  get maxPayload(): number {
    return this.connection.info?.max_payload ?? 0;
  }

  get serverVersion(): string {
    return this.connection.info?.version ?? '';
  }

  /** Calls back after every time that a lost connection is made anew. */
  onReconnect(callback: () => void): () => void {
    this.#onReconnect.add(callback);
    return () => this.#onReconnect.delete(callback);
  }

  /**
   * Sends one request and waits for its reply: one attempt, see `retrying`.
   *
   * @returns the reply; its `data` is a view: copy what you keep
   * @throws the typed error of an error reply; NoResponderError; AttemptTimeoutError; DisconnectedError;
   *   TooLargeError; the signal's reason
   */
  async request(subject: string, payload: Uint8Array, options: RequestOptions): Promise<Message> {
    let answer: Message | undefined;
    await this.requestStream(subject, payload, options, (reply) => {
      answer = reply;
      return 'done';
    });
    return answer as unknown as Message;
  }

  /** A request with JSON both ways. @throws as `request`, and BadRequestError for a reply that is no map */
  async requestJson<T>(subject: string, body: unknown, options: RequestOptions): Promise<T> {
    const reply = await this.request(subject, encodeBody(body, 'json'), options);
    return decodeBody(reply.data).map as T;
  }

  /**
   * Sends a request that is answered by several messages; `timeoutMs` is for each of them.
   *
   * @throws as `request`; what `onReply` throws
   */
  async requestStream(
    subject: string,
    payload: Uint8Array,
    options: RequestOptions,
    onReply: ReplyHandler,
  ): Promise<void> {
    // A publish while disconnected is dropped without a sign.
    if (!this.#connected) throw new DisconnectedError(`request to ${subject}`, { sent: false });
    await this.#mux.send(subject, payload, options, (reply) => {
      const error = errorOfReply(reply);
      if (error) throw error;
      return onReply(reply);
    });
  }

  /**
   * Sends a message to whoever listens. The payload must not be changed before the next turn of the event loop. Lost
   * without a sign while disconnected.
   *
   * @throws TooLargeError
   */
  publish(subject: string, data: Uint8Array, headers?: HeaderMap): void {
    const built = toNatsHeaders(headers);
    try {
      this.connection.publish(subject, data, built && { headers: built });
    } catch (error) {
      throw publishError(error, subject, data.length, this.connection);
    }
  }

  /**
   * Sends a request whose replies go to somebody else, who waits at `reply`. Lost without a sign while disconnected.
   *
   * @throws TooLargeError
   */
  forward(subject: string, data: Uint8Array, reply: string): void {
    if (this.exchange?.deliver({ subject, data, headers: undefined, reply })) return;
    try {
      this.connection.publish(subject, data, { reply });
    } catch (error) {
      throw publishError(error, subject, data.length, this.connection);
    }
  }

  /** Calls back with every message of a subject, or with this member's share of a queue group. Returns the way to stop it. */
  listen(
    subject: string,
    callback: (data: Uint8Array, subject: string, header: (name: string) => string) => void,
    options: { readonly queue?: string } = {},
  ): () => void {
    const receive = ({ data, subject: actual, header }: Message): void => {
      try {
        callback(data, actual, header);
      } catch (error) {
        // Thrown into the client, it would end the reading of the connection.
        this.logger.error({ err: error, subject: actual }, 'a listener failed on a message, which is lost');
      }
    };
    const subscription = this.connection.subscribe(subject, {
      ...(options.queue !== undefined && { queue: options.queue }),
      callback: (error, message) => {
        if (error) this.logger.error({ err: error, subject }, 'a subscription was refused');
        else receive(fromNats(message));
      },
    });
    return () => subscription.unsubscribe();
  }

  /** Settles once the server has processed what was sent so far. @throws UnavailableError where the connection is lost */
  async flush(): Promise<void> {
    if (!this.#connected) throw new DisconnectedError('flush', { sent: false });
    try {
      await this.connection.flush();
    } catch (error) {
      throw fromNatsError(error, 'flush');
    }
  }

  /** Ends the connection: subscriptions take no more, what is sent goes out, within five seconds. Idempotent. */
  async close(): Promise<void> {
    if (this.connection.isClosed()) return;
    const drained = this.connection.isDraining() ? this.connection.closed() : this.connection.drain();
    if (!(this.#connected && (await settledWithin(drained, CLOSE_MS)))) await this.connection.close();
    await this.closed;
  }

  #ended(error: Error | undefined): Error | undefined {
    this.#connected = false;
    this.#mux.close(new DisconnectedError('request', { sent: true }));
    return error;
  }

  async #follow(states: AsyncIterable<Status>): Promise<void> {
    for await (const state of states) {
      switch (state.type) {
        case Events.Disconnect:
          this.#connected = false;
          this.#mux.failAll(new DisconnectedError('request', { sent: true }));
          this.logger.warn({ server: state.data }, 'lost the connection to NATS');
          break;
        case Events.Reconnect:
          this.#connected = true;
          this.logger.info({ server: state.data }, 'connected to NATS again');
          for (const callback of [...this.#onReconnect]) this.#notify(callback);
          break;
        case Events.Error:
          this.logger.error({ error: state.data, permission: state.permissionContext }, 'NATS reported an error');
          if (state.permissionContext?.operation === 'publish') this.#mux.refuse(state.permissionContext.subject);
          break;
        case DebugEvents.StaleConnection:
          this.logger.warn({}, 'the NATS server does not answer pings');
          break;
        default:
          break;
      }
    }
  }

  #notify(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.logger.error({ err: error }, 'a reconnect callback failed');
    }
  }
}
