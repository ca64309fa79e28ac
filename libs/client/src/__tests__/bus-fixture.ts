import { type Bus, connectBus, ensureStreams, subscribe } from '@tidegate/bus';
import { decodeBody, encodeBody } from '@tidegate/protocol';
import { type NatsServer, startNatsServer } from '@tidegate/testing';
import type { Call } from '../requests.js';

export interface BusFixture {
  readonly server: NatsServer;
  readonly bus: Bus;
  stop(): Promise<void>;
}

/** A nats-server with the streams of the contract, and a connection to it. */
export async function busFixture(): Promise<BusFixture> {
  const server = await startNatsServer();
  const bus = await connectBus({ servers: server.url, name: 'client-test' });
  await ensureStreams(bus);
  return {
    server,
    bus,
    stop: async () => {
      await bus.close();
      await server.stop();
    },
  };
}

/** Answers control requests on a subject; what they were is in the list. */
export function answering(bus: Bus, subject: string, answer: (body: Record<string, unknown>) => unknown) {
  const requests: unknown[] = [];
  subscribe(bus, subject, ({ data }) => {
    const { map } = decodeBody(data);
    requests.push(map);
    return { data: encodeBody(answer(map), 'json') };
  });
  return requests;
}

/** A call with one attempt. */
export function callOver(bus: Bus): Call {
  return (subject, body, { timeoutMs = 5000, signal }) => bus.requestJson(subject, body, { timeoutMs, signal });
}

export const utf8 = new TextEncoder();

/** The body of an event of a trigger. */
export function eventBody(details: object = {}) {
  return {
    run: 'r',
    epoch: 0,
    step: 7,
    trigger: 'hot',
    generation: 1,
    variable: 'T',
    box: '0:4',
    values: { mx: 3 },
    indicator: true,
    data: {},
    decision: 'hot/1/r/0/7',
    ...details,
  };
}
