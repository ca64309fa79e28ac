import type { MemberRecord } from '@tidegate/protocol';
import type { Bus } from './bus.js';
import type { KvBucket } from './kv.js';

/** A member that announces itself. */
export interface Announcement {
  /** The record changed: announce it now. */
  update(): void;
  /** Leaves: the record is deleted, so that the others know at once. */
  stop(): Promise<void>;
}

/** Key of a member. */
export function memberKey({ kind, id }: Pick<MemberRecord, 'kind' | 'id'>): string {
  return `${kind}.${id}`;
}

/**
 * Keeps a member's record in the members bucket, renewed three times per time to live.
 *
 * @returns once the record is there
 * @throws UnavailableError, StorageFullError
 */
export async function announce(
  bus: Bus,
  members: KvBucket<MemberRecord>,
  record: () => MemberRecord,
): Promise<Announcement> {
  const key = memberKey(record());
  let revision = await members.put(key, record());
  let writing: Promise<void> | undefined;
  let again = false;
  let stopped = false;

  const write = async (): Promise<void> => {
    do {
      again = false;
      try {
        revision = await members.put(key, record());
      } catch (error) {
        bus.logger.warn({ err: error, member: key }, 'could not announce this member; others may think it gone');
        return;
      }
    } while (again && !stopped);
  };
  const update = (): void => {
    again = true;
    if (stopped) return;
    writing ??= write().finally(() => {
      writing = undefined;
    });
  };
  const renewal = setInterval(update, members.ttlMs / 3);
  const forgetReconnect = bus.onReconnect(update);

  return {
    update,
    async stop() {
      if (stopped) return;
      stopped = true;
      clearInterval(renewal);
      forgetReconnect();
      await writing;
      try {
        // Only its own record: a successor with the same id may have announced itself.
        await members.delete(key, revision);
      } catch (error) {
        bus.logger.info({ err: error, member: key }, 'left without notice: the record expires by itself');
      }
    },
  };
}
