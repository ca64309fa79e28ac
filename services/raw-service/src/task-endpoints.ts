import { type Bus, type Logger, openBucket, type Subscribed, subscribe } from '@tidegate/bus';
import { chunkBytes, type PieceSource } from '@tidegate/client/region';
import {
  type CheckRequest,
  type DeriveRequest,
  encodeBody,
  type KernelRecord,
  type PersistReply,
  type PersistRequest,
  type RawId,
  rawSubject,
} from '@tidegate/protocol';
import type { Catalog } from './catalog.js';
import { checkPieces } from './check-pieces.js';
import { derivePieces } from './derive-pieces.js';
import { idList, jsonBody, jsonReply } from './json-body.js';
import type { PartitionStore } from './partition-store.js';
import type { PutFlow } from './put-flow.js';
import { replyInParts } from './reply-parts.js';
import { type TaskContext, taskGates } from './task-context.js';
import { type KernelRunner, TaskPool } from './task-pool.js';
import { parseCheckRequest, parseDeriveRequest } from './task-requests.js';
import { UserKernels } from './user-kernels.js';

/** Requests of one kind that run or wait at a time; further ones are answered BUSY. */
const MAX_REQUESTS = 256;

export interface TaskEndpointsOptions {
  readonly bus: Bus;
  readonly raw: RawId;
  readonly store: PartitionStore;
  readonly puts: PutFlow;
  readonly catalog: Catalog;
  /** Pieces of other raw-services. */
  readonly remote: PieceSource;
  readonly logger: Logger;
  /** Stands in for the workers, in tests. */
  readonly openRunner?: () => Promise<KernelRunner>;
}

/** Answers what trigger-engines ask to be done with the partitions here: `check`, `derive`, `persist`. */
export function serveTasks(options: TaskEndpointsOptions): Subscribed {
  const { bus, raw, store, puts, catalog, remote, logger } = options;
  const stopped = new AbortController();
  const runner = new TaskPool(logger, options.openRunner);
  let bucket: ReturnType<typeof openBucket<KernelRecord>> | undefined;
  const openKernels = () => {
    bucket ??= openBucket<KernelRecord>(bus, 'kernels').catch((error: unknown) => {
      bucket = undefined;
      throw error;
    });
    return bucket;
  };
  const context: TaskContext = {
    raw,
    store,
    puts,
    catalog,
    runner,
    kernels: new UserKernels({ bucket: openKernels, logger }),
    remote,
    chunkBytes: chunkBytes(bus),
    gates: taskGates(),
    stopped: stopped.signal,
  };
  const bounds = { maxPending: MAX_REQUESTS };
  const served = [
    subscribe(
      bus,
      rawSubject(raw, 'check'),
      async (request) => {
        const reply = await checkPieces(context, parseCheckRequest(jsonBody<CheckRequest>(request)));
        return replyInParts(bus, request, encodeBody(reply, 'msgpack'));
      },
      bounds,
    ),
    subscribe(
      bus,
      rawSubject(raw, 'derive'),
      async (request) => jsonReply(await derivePieces(context, parseDeriveRequest(jsonBody<DeriveRequest>(request)))),
      bounds,
    ),
    subscribe(
      bus,
      rawSubject(raw, 'persist'),
      async (request) => {
        const ids = idList(jsonBody<PersistRequest>(request).ids);
        await Promise.all(ids.map((id) => (store.has(id) ? undefined : puts.settled(id))));
        return jsonReply((await store.persist(ids)) satisfies PersistReply);
      },
      bounds,
    ),
  ];
  return {
    async stop(deadlineMs) {
      stopped.abort();
      await Promise.all(served.map((one) => one.stop(deadlineMs)));
      await runner.stop();
    },
  };
}
