import {
  BadRequestError,
  type Bucket,
  decodeBody,
  encodeBody,
  isStep,
  type MemberRecord,
  syncSubject,
  UnavailableError,
} from '@tidegate/protocol';
import type { Bus } from './bus.js';
import { AttemptTimeoutError } from './bus-errors.js';
import { monotonicNow, sleep } from './clock.js';
import type { KvBucket } from './kv.js';
import type { KvCache } from './kv-cache.js';
import type { MemberKind, Roster } from './roster.js';
import { streamInfo } from './stream-config.js';
import { type Subscribed, subscribe } from './subscribe.js';

/** How long one member may take to see a change; one that is gone drops out of the roster before. */
const SYNC_MS = 8000;
const ATTEMPT_MS = 1000;
const SERVED_MS = 900;
const AGAIN_MS = 20;

type Copy = Pick<KvCache<unknown>, 'waitFor'>;

/** The buckets that a member follows. */
export type SyncedCaches = { readonly [B in Bucket]?: Copy };

/** Answers, for this member, that it has seen a revision of one of the buckets that it follows. */
export function serveSync(bus: Bus, id: string, caches: SyncedCaches): Subscribed {
  const followed = new Map<unknown, Copy>(Object.entries(caches));
  return subscribe(bus, syncSubject(id), async (request) => {
    const { map, encoding } = decodeBody(request.data);
    const { bucket, revision } = map;
    const cache = followed.get(bucket);
    if (cache === undefined) {
      const expected = [...followed.keys()].join(', ');
      throw new BadRequestError('bucket', `expected one of ${expected}, got ${JSON.stringify(bucket)}`);
    }
    if (!isStep(revision)) {
      throw new BadRequestError('revision', `expected a revision, got ${JSON.stringify(revision)}`);
    }
    await cache.waitFor(revision, SERVED_MS);
    return { data: encodeBody({}, encoding) };
  });
}

/** Whom a change concerns. */
export interface SyncOptions {
  readonly kinds: readonly MemberKind[];
  /** Default: 8 seconds. */
  readonly withinMs?: number;
}

/**
 * Returns once every live member of some kinds has seen a revision of a bucket. One that dies meanwhile need not.
 *
 * @throws UnavailableError naming a member that lives and has not seen it
 */
export async function syncMembers(
  bus: Bus,
  roster: Roster,
  bucket: Bucket,
  revision: number,
  { kinds, withinMs = SYNC_MS }: SyncOptions,
): Promise<void> {
  const deadline = monotonicNow() + withinMs;
  const members = kinds.flatMap((kind) => roster.live(kind));
  await Promise.all(members.map((member) => syncMember(bus, roster, member, { bucket, revision, deadline })));
}

async function syncMember(
  bus: Bus,
  roster: Roster,
  member: MemberRecord,
  { bucket, revision, deadline }: { readonly bucket: Bucket; readonly revision: number; readonly deadline: number },
): Promise<void> {
  // A member that started anew has read the bucket after the change.
  const same = () => roster.get(member.kind, member.id)?.incarnation === member.incarnation;
  while (same()) {
    try {
      await bus.requestJson(syncSubject(member.id), { bucket, revision }, { timeoutMs: ATTEMPT_MS });
      return;
    } catch (error) {
      if (monotonicNow() > deadline) {
        throw new UnavailableError(`${member.kind}-service ${member.id} has not seen the change yet`, 500, {
          cause: error,
        });
      }
      if (!(error instanceof AttemptTimeoutError)) await sleep(AGAIN_MS);
    }
  }
}

/**
 * Returns once a copy holds everything that its bucket holds now. Who was away long enough to drop out of the roster
 * was not waited for: it has to see what was changed meanwhile before it acts again.
 *
 * @throws TimeoutError, UnavailableError
 */
export async function catchUp(
  bucket: Pick<KvBucket<unknown>, 'bus' | 'streamName'>,
  cache: Copy,
  withinMs: number,
): Promise<void> {
  const info = await streamInfo(bucket.bus, bucket.streamName);
  if (info !== undefined) await cache.waitFor(info.state.last_seq, withinMs);
}
