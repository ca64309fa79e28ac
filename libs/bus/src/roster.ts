import type { MemberRecord } from '@tidegate/protocol';
import type { Bus } from './bus.js';
import { monotonicNow } from './clock.js';
import type { KvBucket } from './kv.js';
import { KvCache, type KvChange } from './kv-cache.js';
import { memberKey } from './member.js';

/** A kind of service. */
export type MemberKind = MemberRecord['kind'];

export interface RosterOptions {
  /** A member came, or came back as another incarnation (after `onLeave` of the earlier one). */
  readonly onJoin?: (member: MemberRecord) => void;
  /** A member left, or fell silent for the time to live. */
  readonly onLeave?: (member: MemberRecord) => void;
  /** A live member says something else of itself. */
  readonly onChange?: (member: MemberRecord) => void;
  readonly now?: () => number;
}

interface Seen {
  member: MemberRecord;
  at: number;
}

const TICK_MS = 250;
/** A tick that comes later than this was held up with the whole process. */
const PAUSE_MS = 1000;

/**
 * The members that are alive. An expired record leaves no trace in a watch, so silence is measured here, on the
 * monotonic clock; it counts only while this process runs and hears the bucket.
 */
export class Roster {
  readonly #options: RosterOptions;
  readonly #now: () => number;
  readonly #ttlMs: number;
  readonly #bus: Bus;
  readonly #seen = new Map<string, Seen>();
  readonly #timer: NodeJS.Timeout;
  #cache: KvCache<MemberRecord> | undefined;
  #lastTick: number;

  /** Opens the roster and returns once it knows the present members. @throws UnavailableError */
  static async open(bus: Bus, members: KvBucket<MemberRecord>, options: RosterOptions = {}): Promise<Roster> {
    const roster = new Roster(bus, members.ttlMs, options);
    try {
      roster.#cache = await KvCache.open(members, {
        onChange: (key, entry, change) => roster.#change(key, entry?.value, change),
        onSync: () => roster.#refresh(),
      });
    } catch (error) {
      roster.stop();
      throw error;
    }
    return roster;
  }

  private constructor(bus: Bus, ttlMs: number, options: RosterOptions) {
    this.#bus = bus;
    this.#ttlMs = ttlMs;
    this.#options = options;
    this.#now = options.now ?? monotonicNow;
    this.#lastTick = this.#now();
    this.#timer = setInterval(() => this.#tick(), TICK_MS).unref();
  }

  /** The live members of a kind, in no order. */
  live(kind: MemberKind): readonly MemberRecord[] {
    const members: MemberRecord[] = [];
    for (const { member } of this.#seen.values()) if (member.kind === kind) members.push(member);
    return members;
  }

  /** Ids of the members of a kind that were heard within the last `withinMs`: what leases are dealt to. */
  fresh(kind: MemberKind, withinMs: number): readonly string[] {
    const since = this.#now() - withinMs;
    const ids: string[] = [];
    for (const { member, at } of this.#seen.values()) if (member.kind === kind && at >= since) ids.push(member.id);
    return ids;
  }

  get(kind: MemberKind, id: string): MemberRecord | undefined {
    return this.#seen.get(memberKey({ kind, id }))?.member;
  }

  isLive(kind: MemberKind, id: string): boolean {
    return this.get(kind, id) !== undefined;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#cache?.stop();
  }

  #change(key: string, member: MemberRecord | undefined, change: KvChange): void {
    if (member) this.#heard(key, member);
    // What an interruption hid is no leave yet: the whole cluster may have been cut off from the broker.
    else if (change === 'deleted') this.#drop(key);
  }

  #heard(key: string, member: MemberRecord): void {
    const seen = this.#seen.get(key);
    const at = this.#now();
    if (!seen) {
      this.#seen.set(key, { member, at });
      this.#tell(this.#options.onJoin, member);
      return;
    }
    const before = seen.member;
    seen.member = member;
    seen.at = at;
    if (before.incarnation !== member.incarnation) {
      this.#tell(this.#options.onLeave, before);
      this.#tell(this.#options.onJoin, member);
    } else if (JSON.stringify(before) !== JSON.stringify(member)) {
      this.#tell(this.#options.onChange, member);
    }
  }

  #drop(key: string): void {
    const seen = this.#seen.get(key);
    if (!seen) return;
    this.#seen.delete(key);
    this.#tell(this.#options.onLeave, seen.member);
  }

  /** After an interruption everybody gets a full time to live to be heard. */
  #refresh(): void {
    const now = this.#now();
    for (const seen of this.#seen.values()) seen.at = now;
  }

  #tick(): void {
    const now = this.#now();
    const held = now - this.#lastTick;
    this.#lastTick = now;
    // This process's own pause is no silence of the others.
    if (held > PAUSE_MS) for (const seen of this.#seen.values()) seen.at += held;
    if (!this.#cache?.inSync) return;
    for (const [key, { at }] of [...this.#seen]) if (now - at > this.#ttlMs) this.#drop(key);
  }

  #tell(callback: ((member: MemberRecord) => void) | undefined, member: MemberRecord): void {
    try {
      callback?.(member);
    } catch (error) {
      this.#bus.logger.error({ err: error, member: memberKey(member) }, 'a follower of the members failed on a change');
    }
  }
}
