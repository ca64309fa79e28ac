import { ForbiddenError } from '@tidegate/protocol';
import { createInbox, type NatsConnection, type Subscription } from 'nats';
import { AttemptTimeoutError, DisconnectedError, NoResponderError, publishError } from './bus-errors.js';
import { timerDelay } from './clock.js';
import type { LocalExchange } from './local-exchange.js';
import { type Carried, fromNats, type HeaderMap, type Message, toNatsHeaders } from './message.js';

/** How one request is sent. */
export interface RequestOptions {
  readonly headers?: HeaderMap;
  /** For the reply; for a stream of replies, for each of them. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Looks at a reply: `more` where another one must follow. What it throws fails the request. */
export type ReplyHandler = (reply: Message) => 'more' | 'done';

interface Waiting {
  readonly subject: string;
  receive(message: Carried): void;
  fail(error: unknown): void;
}

/** What a multiplexer shares with its connection. */
export interface RequestMuxOptions {
  readonly onPayload: (bytes: number) => void;
  readonly exchange: LocalExchange | undefined;
}

const NO_RESPONDERS = 503;

/**
 * All requests of a connection, their replies sorted out by the last token of one inbox. In contrast to the client's
 * own `request` it fails what waits as soon as the connection is lost, heeds AbortSignals, and takes replies of
 * several messages.
 */
export class RequestMux {
  readonly #connection: NatsConnection;
  readonly #onPayload: (bytes: number) => void;
  readonly #exchange: LocalExchange | undefined;
  readonly #leave: (() => void) | undefined;
  readonly #prefix = `${createInbox()}.`;
  readonly #waiting = new Map<string, Waiting>();
  #inbox: Subscription | undefined;
  #sent = 0;

  constructor(connection: NatsConnection, { onPayload, exchange }: RequestMuxOptions) {
    this.#connection = connection;
    this.#onPayload = onPayload;
    this.#exchange = exchange;
    this.#leave = exchange?.join(`${this.#prefix}*`, (message) => this.#receive(message));
  }

  /** Requests that wait for a reply. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Sends a request and hands every reply to `onReply` until that says `done`. */
  send(subject: string, payload: Uint8Array, options: RequestOptions, onReply: ReplyHandler): Promise<void> {
    const { timeoutMs, signal } = options;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const token = (this.#sent++).toString(36);
      const settle = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        this.#waiting.delete(token);
      };
      const fail = (error: unknown): void => {
        settle();
        reject(error);
      };
      const onAbort = (): void => fail(signal?.reason);
      const timer = setTimeout(() => fail(new AttemptTimeoutError(subject, timeoutMs)), timerDelay(timeoutMs));
      signal?.addEventListener('abort', onAbort, { once: true });
      const receive = (message: Carried): void => {
        if (message.data.length === 0 && message.headers?.code === NO_RESPONDERS) {
          fail(new NoResponderError(subject));
          return;
        }
        try {
          if (onReply(fromNats(message)) === 'more') {
            timer.refresh();
            return;
          }
        } catch (error) {
          fail(error);
          return;
        }
        settle();
        resolve();
      };
      this.#waiting.set(token, { subject, receive, fail });
      try {
        this.#listen();
        this.#publish(subject, payload, `${this.#prefix}${token}`, options.headers);
      } catch (error) {
        fail(error);
      }
    });
  }

  /** Fails what waits and takes no more replies. */
  close(error: Error): void {
    this.#leave?.();
    this.failAll(error);
  }

  /** Fails everything that waits: its replies cannot come any more. */
  failAll(error: Error): void {
    for (const waiting of [...this.#waiting.values()]) waiting.fail(error);
  }

  /** The server refused a publish to this subject. */
  refuse(subject: string): void {
    for (const waiting of [...this.#waiting.values()]) {
      if (waiting.subject === subject)
        waiting.fail(new ForbiddenError(`these credentials may not publish to ${subject}`));
    }
  }

  #publish(subject: string, payload: Uint8Array, reply: string, map: HeaderMap | undefined): void {
    const headers = toNatsHeaders(map);
    if (this.#exchange?.deliver({ subject, data: payload, headers, reply })) return;
    try {
      this.#connection.publish(subject, payload, headers ? { reply, headers } : { reply });
      this.#onPayload(payload.length);
    } catch (error) {
      throw publishError(error, subject, payload.length, this.#connection);
    }
  }

  #receive(message: Carried): void {
    this.#waiting.get(message.subject.slice(this.#prefix.length))?.receive(message);
  }

  #listen(): void {
    if (this.#inbox && !this.#inbox.isClosed()) return;
    this.#inbox = this.#connection.subscribe(`${this.#prefix}*`, {
      callback: (error, message) => {
        if (error) {
          this.failAll(
            new ForbiddenError(`these credentials may not subscribe to their inbox ${this.#prefix}*`, { cause: error }),
          );
        } else {
          this.#onPayload(message.data.length);
          this.#receive(message);
        }
      },
    });
    this.#inbox.closed.catch(() => {
      this.failAll(new DisconnectedError('request', { sent: true }));
    });
  }
}
