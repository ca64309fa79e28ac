import type { Bus } from './bus.js';
import { settledWithin } from './clock.js';
import { Endpoint, type Handler } from './endpoint.js';

/** How a plain endpoint listens. */
export interface SubscribeOptions {
  readonly queue?: string;
  /** Handlers that may run at a time before requests are answered BUSY; default 4096. */
  readonly maxPending?: number;
}

/** A plain endpoint that answers. */
export interface Subscribed {
  /** Takes no more requests and waits for the running handlers, up to `deadlineMs` (default 10,000). */
  stop(deadlineMs?: number): Promise<void>;
}

const STOP_MS = 10_000;

/**
 * Answers requests on an internal subject, which no `$SRV` listing shows. The server knows the subscription before it
 * sees whatever this connection sends later.
 */
export function subscribe(bus: Bus, subject: string, handler: Handler, options: SubscribeOptions = {}): Subscribed {
  const endpoint = new Endpoint(bus, handler, options.maxPending);
  const subscription = bus.connection.subscribe(subject, {
    ...(options.queue !== undefined && { queue: options.queue }),
    callback: (error, message) => {
      if (error) bus.logger.error({ err: error, subject }, 'a subscription was refused');
      else endpoint.receive(message);
    },
  });
  const leave =
    options.queue === undefined ? bus.exchange?.join(subject, (message) => endpoint.receive(message)) : undefined;
  return {
    async stop(deadlineMs = STOP_MS) {
      leave?.();
      if (bus.connected) await settledWithin(subscription.drain(), deadlineMs);
      else subscription.unsubscribe();
      if (!(await endpoint.idle(deadlineMs)))
        bus.logger.warn({ subject, deadlineMs }, 'stopped while handlers were running');
    },
  };
}
