import type { StreamConfig, StreamState } from 'nats';
import type { Bus } from './bus.js';
import { isJetStreamError, JS_ERROR, jetStreamApi } from './jetstream.js';

/** What is used of a stream's description. */
export interface StreamInfo {
  readonly config: StreamConfig;
  readonly state: StreamState;
}

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
    // Another process created it first, from another version's configuration.
    const other = isJetStreamError(error, JS_ERROR.streamNameInUse) ? await streamInfo(bus, config.name) : undefined;
    if (other) return other;
    throw error;
  }
}

export const NANOSECONDS_PER_MS = 1_000_000;
