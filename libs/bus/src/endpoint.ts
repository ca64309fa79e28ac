import {
  ACCEPT_MSGPACK,
  BusyError,
  type Encoding,
  encodeBody,
  HEADERS,
  isTidegateError,
  type TidegateError,
  UnavailableError,
} from '@tidegate/protocol';
import type { Bus } from './bus.js';
import { publishError } from './bus-errors.js';
import { monotonicNow, settledWithin } from './clock.js';
import { type Carried, fromNats, type HeaderMap, headerSafe, type Message, toNatsHeaders } from './message.js';

/** A request as its handler gets it. `data` is a view: copy what you keep across an await. */
export interface Incoming extends Message {
  /** Subject of the reply; empty where none is wanted. */
  readonly reply: string;
  /** Encoding of an error's body. By the `Accept` header; a handler of control bodies sets it to the request's own. */
  encoding: Encoding;
  /** Sends a message of a reply of several. @throws TooLargeError */
  send(data: Uint8Array, headers?: HeaderMap): void;
  /** Waits until the server has taken what was sent: the only backpressure there is. */
  flush(): Promise<void>;
}

/** A reply. */
export interface Outgoing {
  readonly data: Uint8Array;
  readonly headers?: HeaderMap;
}

/** Answers a request; `undefined` where it sent all its replies itself. What it throws becomes an error reply. */
export type Handler = (request: Incoming) => Promise<Outgoing | undefined> | Outgoing | undefined;

/** Counts of an endpoint since it was made. */
export interface EndpointCounts {
  readonly requests: number;
  readonly errors: number;
  readonly lastError: string;
  /** Milliseconds that handlers took, waits included. */
  readonly busyMs: number;
}

/** Most handlers of one endpoint that run at a time. */
export const DEFAULT_MAX_PENDING = 4096;
const BUSY_RETRY_MS = 50;

/** Runs the handler of one subject: bounds how many run, and turns what they return or throw into replies. */
export class Endpoint {
  readonly #bus: Bus;
  readonly #handler: Handler;
  readonly #maxPending: number;
  readonly #running = new Set<Promise<void>>();
  #counts = { requests: 0, errors: 0, lastError: '', busyMs: 0 };

  constructor(bus: Bus, handler: Handler, maxPending = DEFAULT_MAX_PENDING) {
    this.#bus = bus;
    this.#handler = handler;
    this.#maxPending = maxPending;
  }

  get counts(): EndpointCounts {
    return this.#counts;
  }

  /** Takes a message of the client. Never throws: that would end the reading of the connection. */
  receive(message: Carried): void {
    const incoming = this.#incoming(message);
    this.#bus.onPayload(message.data.length);
    this.#counts.requests++;
    if (this.#running.size >= this.#maxPending) {
      this.#fail(
        incoming,
        new BusyError(`${this.#maxPending} requests are running on ${incoming.subject}`, BUSY_RETRY_MS),
      );
      return;
    }
    const start = monotonicNow();
    try {
      const result = this.#handler(incoming);
      if (!(result instanceof Promise)) {
        this.#answer(incoming, result);
        this.#counts.busyMs += monotonicNow() - start;
        return;
      }
      const run = result
        .then((outgoing) => this.#answer(incoming, outgoing))
        .catch((error: unknown) => this.#fail(incoming, error))
        .finally(() => {
          this.#counts.busyMs += monotonicNow() - start;
          this.#running.delete(run);
        });
      this.#running.add(run);
    } catch (error) {
      this.#fail(incoming, error);
    }
  }

  /** Waits for the running handlers. @returns false where some still run after `deadlineMs` */
  idle(deadlineMs: number): Promise<boolean> {
    return settledWithin(Promise.all(this.#running), deadlineMs);
  }

  #incoming(message: Carried): Incoming {
    const view = fromNats(message);
    return {
      ...view,
      reply: message.reply ?? '',
      encoding: view.header(HEADERS.accept) === ACCEPT_MSGPACK ? 'msgpack' : 'json',
      send: (data, headers) => this.#respond(message.reply, data, headers),
      flush: () => this.#bus.flush(),
    };
  }

  #answer(incoming: Incoming, outgoing: Outgoing | undefined): void {
    if (outgoing) this.#respond(incoming.reply, outgoing.data, outgoing.headers);
  }

  #respond(reply: string | undefined, data: Uint8Array, map: HeaderMap | undefined): void {
    if (!reply) return;
    const headers = toNatsHeaders(map);
    if (this.#bus.exchange?.deliver({ subject: reply, data, headers })) return;
    try {
      this.#bus.connection.publish(reply, data, headers && { headers });
      this.#bus.onPayload(data.length);
    } catch (error) {
      throw publishError(error, reply, data.length, this.#bus.connection);
    }
  }

  #fail(incoming: Incoming, error: unknown): void {
    this.#counts.errors++;
    const told = this.#told(incoming, error);
    this.#counts.lastError = told.message;
    try {
      this.#respond(incoming.reply, encodeBody(told.toBody(), incoming.encoding), {
        [HEADERS.errorCode]: String(told.status),
        [HEADERS.error]: headerSafe(told.message) || told.code,
      });
    } catch (failure) {
      this.#bus.logger.error({ err: failure, subject: incoming.subject }, 'could not send an error reply');
    }
  }

  /** What the requester may know of an error: those of the contract as they are, of others only that there was one. */
  #told(incoming: Incoming, error: unknown): TidegateError {
    if (isTidegateError(error)) return error;
    this.#bus.logger.error({ err: error, subject: incoming.subject }, 'a handler failed unexpectedly');
    return new UnavailableError('internal error: see the log of the service', 1000);
  }
}
