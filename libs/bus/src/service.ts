import { type Endpoint as FrameworkEndpoint, nuid } from 'nats';
import type { Bus } from './bus.js';
import { fromNatsError } from './bus-errors.js';
import { settledWithin } from './clock.js';
import { Endpoint, type Handler } from './endpoint.js';

/** One public operation of a service. */
export interface EndpointSpec {
  /** For the listing: `[A-Za-z0-9_-]+`. */
  readonly name: string;
  readonly subject: string;
  /** Queue group that shares the requests; `null`: every instance answers each. Default `q`. */
  readonly queue?: string | null;
  readonly handler: Handler;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Handlers that may run at a time before requests are answered BUSY; default 4096. */
  readonly maxPending?: number;
}

/** A service as the NATS services framework shows it. */
export interface ServiceSpec {
  /** `[A-Za-z0-9_-]+` */
  readonly name: string;
  /** Semantic version. */
  readonly version: string;
  readonly description: string;
  readonly endpoints: readonly EndpointSpec[];
}

/** A registered service. */
export interface Served {
  /** Id of this instance in `$SRV` replies. */
  readonly id: string;
  /** Takes no more requests and waits for the running handlers, up to `deadlineMs` (default 10,000). */
  stop(deadlineMs?: number): Promise<void>;
}

const STOP_MS = 10_000;

/** The framework's counters time only the synchronous part of a handler, so the true figures are put in their place. */
function correctStats(listed: FrameworkEndpoint, endpoint: Endpoint): void {
  const { stats } = listed as { stats?: Record<string, unknown> };
  if (!stats) return;
  const { requests, errors, lastError, busyMs } = endpoint.counts;
  const nanoseconds = Math.round(busyMs * 1e6);
  stats['num_requests'] = requests;
  stats['num_errors'] = errors;
  if (errors > 0) stats['last_error'] = lastError;
  stats['processing_time'] = nanoseconds;
  stats['average_processing_time'] = requests > 0 ? Math.round(nanoseconds / requests) : 0;
}

/**
 * Registers a service with the NATS services framework (`$SRV.PING`, `INFO`, `STATS`) and starts to answer.
 *
 * @returns once the server knows the subscriptions
 * @throws UnavailableError, or Error for an invalid name or version
 */
export async function serve(bus: Bus, spec: ServiceSpec): Promise<Served> {
  const { name, version, description } = spec;
  const endpoints = new Map<string, Endpoint>();
  try {
    const service = await bus.connection.services.add({
      name,
      version,
      description,
      statsHandler: (listed) => {
        const endpoint = endpoints.get(listed.subject);
        if (endpoint) correctStats(listed, endpoint);
        return Promise.resolve(undefined);
      },
    });
    for (const { name: title, subject, queue, handler, metadata, maxPending } of spec.endpoints) {
      const endpoint = new Endpoint(bus, handler, maxPending);
      endpoints.set(subject, endpoint);
      service.addEndpoint(title, {
        subject,
        // The framework always takes a queue group: one of a single member is as good as none.
        queue: queue === null ? nuid.next() : (queue ?? 'q'),
        ...(metadata && { metadata: { ...metadata } }),
        handler: (error, message) => {
          if (error) bus.logger.error({ err: error, subject }, 'an endpoint was refused');
          else endpoint.receive(message);
        },
      });
    }
    service.stopped.then(
      (error) => {
        if (error) bus.logger.error({ err: error, service: name }, 'a service ended: its subjects are not answered');
      },
      (error: unknown) => bus.logger.error({ err: error, service: name }, 'a service ended'),
    );
    await bus.flush();
    return {
      id: service.info().id,
      async stop(deadlineMs = STOP_MS) {
        await settledWithin(service.stop(), deadlineMs);
        const idle = await Promise.all([...endpoints.values()].map((endpoint) => endpoint.idle(deadlineMs)));
        if (idle.includes(false)) bus.logger.warn({ service: name, deadlineMs }, 'stopped while handlers were running');
      },
    };
  } catch (error) {
    throw fromNatsError(error, `register service ${name}`);
  }
}
