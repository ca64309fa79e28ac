import { monotonicNow, retrying } from '@tidegate/bus';
import {
  type DeleteReply,
  type ListRequest,
  type RawId,
  type ReleaseReply,
  type ReleaseRequest,
  rawSubject,
} from '@tidegate/protocol';
import { askList, type Coordinator, OWNERS_MS } from './coordinator.js';
import { firstCursor } from './staged-list.js';

/** Most ids of one `release`. */
const RELEASE_IDS = 5000;
/** How long a raw-service may take for one `release`, and how long one that is away is waited for. */
const RELEASE_MS = 30_000;

/** Which partitions to release; see `ListRequest`. */
export type Doomed = Omit<ListRequest, 'shards' | 'cursor' | 'summary'>;

/**
 * Has the raw-services forget everything that the shards list, page by page.
 *
 * @returns what was released
 * @throws UnavailableError where a raw-service does not answer: what is left is released by asking again
 */
export async function releaseListed(
  coordinator: Coordinator,
  shards: readonly number[],
  doomed: Doomed,
  reason: ReleaseRequest['reason'],
): Promise<DeleteReply> {
  let partitions = 0;
  let bytes = 0;
  let cursor: string | undefined;
  do {
    const body = cursor === undefined ? doomed : { ...doomed, cursor };
    const replies = await askList(coordinator, shards, body, monotonicNow() + OWNERS_MS);
    const byRaw = new Map<RawId, ReleaseRequest['ids'][number][]>();
    for (const { partitions: listed = [] } of replies) {
      for (const { id, raw } of listed) {
        const ids = byRaw.get(raw);
        if (ids === undefined) byRaw.set(raw, [id]);
        else ids.push(id);
      }
    }
    const released = await Promise.all([...byRaw].map(([raw, ids]) => releaseAt(coordinator, raw, ids, reason)));
    for (const reply of released) {
      partitions += reply.partitions;
      bytes += reply.bytes;
    }
    // Owners fill their pages to different positions: the first one is where all of them were complete.
    cursor = firstCursor(replies.flatMap((reply) => reply.cursor ?? []));
  } while (cursor !== undefined);
  return { partitions, bytes };
}

async function releaseAt(
  { bus }: Coordinator,
  raw: RawId,
  ids: ReleaseRequest['ids'],
  reason: ReleaseRequest['reason'],
): Promise<ReleaseReply> {
  let partitions = 0;
  let bytes = 0;
  for (let from = 0; from < ids.length; from += RELEASE_IDS) {
    const body: ReleaseRequest = { ids: ids.slice(from, from + RELEASE_IDS), reason };
    const reply = await retrying(
      () => bus.requestJson<ReleaseReply>(rawSubject(raw, 'release'), body, { timeoutMs: RELEASE_MS }),
      { deadline: monotonicNow() + OWNERS_MS },
    );
    partitions += reply.partitions;
    bytes += reply.bytes;
  }
  return { partitions, bytes };
}
