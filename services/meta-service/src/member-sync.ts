import {
  AttemptTimeoutError,
  type Bus,
  type KvCache,
  monotonicNow,
  type Roster,
  type Subscribed,
  sleep,
  subscribe,
} from '@tidegate/bus';
import {
  BadRequestError,
  decodeBody,
  encodeBody,
  isStep,
  type MemberRecord,
  syncSubject,
  UnavailableError,
} from '@tidegate/protocol';

/** How long one member may take to see a change; one that is gone drops out of the roster before. */
const SYNC_MS = 8000;
const ATTEMPT_MS = 1000;
const SERVED_MS = 900;
const AGAIN_MS = 20;

type SyncedBucket = 'variables' | 'runs' | 'pins';

/** Answers, for this member, that it has seen a revision of a bucket. */
export function serveSync(bus: Bus, id: string, caches: Readonly<Record<SyncedBucket, KvCache<unknown>>>): Subscribed {
  return subscribe(bus, syncSubject(id), async (request) => {
    const { map, encoding } = decodeBody(request.data);
    const { bucket, revision } = map;
    if (bucket !== 'variables' && bucket !== 'runs' && bucket !== 'pins') {
      throw new BadRequestError('bucket', `expected variables, runs or pins, got ${JSON.stringify(bucket)}`);
    }
    if (!isStep(revision))
      throw new BadRequestError('revision', `expected a revision, got ${JSON.stringify(revision)}`);
    await caches[bucket].waitFor(revision, SERVED_MS);
    return { data: encodeBody({}, encoding) };
  });
}

/**
 * Returns once every live raw-service and meta-service has seen a revision of a bucket. One that dies meanwhile need not.
 *
 * @throws UnavailableError naming a member that lives and has not seen it
 */
export async function syncMembers(
  bus: Bus,
  roster: Roster,
  bucket: SyncedBucket,
  revision: number,
  withinMs = SYNC_MS,
): Promise<void> {
  const deadline = monotonicNow() + withinMs;
  const members = [...roster.live('raw'), ...roster.live('meta')];
  await Promise.all(members.map((member) => syncMember(bus, roster, member, { bucket, revision, deadline })));
}

async function syncMember(
  bus: Bus,
  roster: Roster,
  member: MemberRecord,
  {
    bucket,
    revision,
    deadline,
  }: { readonly bucket: SyncedBucket; readonly revision: number; readonly deadline: number },
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
