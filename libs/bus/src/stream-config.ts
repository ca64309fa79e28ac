import type { StreamConfig, StreamState } from 'nats';
import type { Bus } from './bus.js';
import { sleep } from './clock.js';
import { isJetStreamError, JS_ERROR, jetStreamApi } from './jetstream.js';

/** What is used of a stream's description. */
export interface StreamInfo {
  readonly config: StreamConfig;
  readonly state: StreamState;
}

/** Between two looks for a stream that is being created, and how many of them. */
const APPEARS_MS = 50;
const APPEARS_TRIES = 20;

/** The stream's configuration and state; none where there is no such stream. */
export async function streamInfo(bus: Bus, name: string): Promise<StreamInfo | undefined> {
  try {
    return await jetStreamApi<StreamInfo>(bus, `STREAM.INFO.${name}`);
  } catch (error) {
    if (isJetStreamError(error, JS_ERROR.streamNotFound)) return undefined;
    throw error;
  }
}

/** Creates a stream where it is missing. A standing one keeps its configuration: it may have been tuned by hand. */
export async function ensureStreamConfig(
  bus: Bus,
  config: Partial<StreamConfig> & { readonly name: string },
): Promise<StreamInfo> {
  const standing = await streamInfo(bus, config.name);
  if (standing) return standing;
  try {
    return await jetStreamApi<StreamInfo>(bus, `STREAM.CREATE.${config.name}`, config);
  } catch (error) {
    // Another process created it first, from another version's configuration. An old server that is still busy with that
    // one tells instead that its subjects are taken.
    const taken = [JS_ERROR.streamNameInUse, JS_ERROR.subjectsOverlap].some((code) => isJetStreamError(error, code));
    const other = taken ? await appearing(bus, config.name) : undefined;
    if (other) return other;
    throw error;
  }
}

/** The stream, which another process may be about to have created. */
async function appearing(bus: Bus, name: string): Promise<StreamInfo | undefined> {
  for (let attempt = 1; ; attempt++) {
    const info = await streamInfo(bus, name);
    if (info || attempt === APPEARS_TRIES) return info;
    await sleep(APPEARS_MS);
  }
}

export const NANOSECONDS_PER_MS = 1_000_000;
