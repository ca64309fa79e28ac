import { type Bus, isTransient, type ShardRouter } from '@tidegate/bus';
import { formatBox } from '@tidegate/geometry';
import {
  type Epoch,
  encodeBody,
  HEADERS,
  NotFoundError,
  type ReadThroughRequest,
  shardSubject,
} from '@tidegate/protocol';
import type { Region } from './region-planner.js';

/** No longer: whatever is wrong, the way by plan and reads finds out. */
const ATTEMPT_MS = 1000;

/**
 * Tries to get a small region with one message, which the owner of its shards passes on to the raw-service that has all
 * of it.
 *
 * @param target of the region's bytes; written only where the whole came
 * @returns undefined where the region has to be planned: several owners or partitions, something missing, someone gone
 */
export async function readThrough(
  bus: Bus,
  router: ShardRouter,
  region: Region,
  target: Uint8Array,
  options: { readonly signal?: AbortSignal | undefined },
): Promise<{ readonly epoch: Epoch } | undefined> {
  const { variable, run, step, box } = region;
  const [shards, ...others] = router.groups(variable.map.shardsOf(box));
  if (!shards || others.length > 0) return undefined;
  const request: ReadThroughRequest = {
    shards,
    variable: variable.record.name,
    run,
    step,
    box: formatBox(box),
    waitMs: 0,
    maxBytes: target.length,
  };
  try {
    const reply = await bus.request(shardSubject(shards[0] ?? 0, 'read'), encodeBody(request, 'json'), {
      timeoutMs: ATTEMPT_MS,
      ...(options.signal && { signal: options.signal }),
    });
    const epoch = reply.header(HEADERS.epoch);
    if (epoch === '' || reply.data.length !== target.length) return undefined;
    target.set(reply.data);
    return { epoch: Number(epoch) as Epoch };
  } catch (error) {
    if (isTransient(error) || error instanceof NotFoundError) return undefined;
    throw error;
  }
}
