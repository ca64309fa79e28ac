import { type Bus, type Logger, type Roster, streamUse } from '@tidegate/bus';
import {
  NotFoundError,
  type RawStorage,
  rawSubject,
  STREAMS,
  type StorageReply,
  type StorageState,
  type StreamDescription,
  type StreamUse,
} from '@tidegate/protocol';
import { worse } from './watermark.js';

/** A raw-service that does not tell its room within so long is left out of the answer. */
const ANSWER_MS = 1000;

/** Room and state of every live raw-service and of the streams, and the worst of the states. */
export async function clusterStorage(bus: Bus, roster: Roster, logger: Logger): Promise<StorageReply> {
  const told = await Promise.all(
    roster.live('raw').map(({ id }) =>
      bus.requestJson<RawStorage>(rawSubject(id, 'storage'), {}, { timeoutMs: ANSWER_MS }).catch((error: unknown) => {
        logger.warn({ err: error, rawService: id }, 'a raw-service does not tell its room');
        return undefined;
      }),
    ),
  );
  const services = told.filter((service) => service !== undefined).sort((a, b) => (a.id < b.id ? -1 : 1));
  const streams = await Promise.all(Object.values(STREAMS).map((stream) => useOf(bus, stream)));
  return {
    state: services.reduce<StorageState>((state, service) => worse(state, service.state), 'ok'),
    services,
    streams,
  };
}

/** A stream that no service has needed so far is empty. */
async function useOf(bus: Bus, { name, maxBytes: limit }: StreamDescription): Promise<StreamUse> {
  try {
    const { messages, bytes, maxBytes } = await streamUse(bus, name);
    return { name, messages, usedBytes: bytes, limitBytes: maxBytes };
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
    return { name, messages: 0, usedBytes: 0, limitBytes: limit };
  }
}
