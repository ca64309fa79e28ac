import { type Bus, connectBus, type LocalExchange, type Logger, monotonicNow, retrying } from '@tidegate/bus';
import { parseNatsAddress } from '../nats-address.js';
import { payloadListener } from './young-generation.js';

export interface PatientOptions {
  readonly name: string;
  readonly logger: Logger;
  /** Shared by the services of this process. */
  readonly exchange?: LocalExchange;
  readonly signal?: AbortSignal | undefined;
  /** Called once, when the server does not answer at first. */
  readonly onWait: () => void;
}

/** Containers start in any order: how long a service waits for its NATS server, in milliseconds. */
const WAIT_MS = 60_000;

/**
 * Connects a service, waiting up to a minute for a NATS server that is not there yet.
 *
 * @throws UnavailableError; ForbiddenError at once
 */
export async function connectPatiently(nats: string, options: PatientOptions): Promise<Bus> {
  const { name, logger, signal, onWait, exchange } = options;
  const address = parseNatsAddress(nats);
  const onPayload = payloadListener();
  let waited = false;
  return retrying(() => connectBus({ ...address, name, logger, onPayload, ...(exchange && { exchange }) }), {
    deadline: monotonicNow() + WAIT_MS,
    signal,
    onRetry: () => {
      if (!waited) onWait();
      waited = true;
    },
  });
}
