import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { LeaseRecord } from '@tidegate/protocol';
import { type NatsServer, startNatsServer, until } from '@tidegate/testing';
import type { Bus } from '../bus.js';
import { monotonicNow } from '../clock.js';
import { connectBus } from '../connect.js';
import { KvBucket, openBucket } from '../kv.js';
import { LeaseKeeper } from '../lease.js';
import { ensureStreamConfig, NANOSECONDS_PER_MS } from '../stream-config.js';

const SHARDS = 16;
/** Short, so that the tests are quick. */
const TTL = 1200;

/** One member: its keeper, its clock, and what it was told. */
interface Member {
  readonly id: string;
  readonly bus: Bus;
  readonly keeper: LeaseKeeper;
  readonly served: Set<number>;
  readonly lost: number[];
  readonly handedOver: number[];
  /** Added to its clock. */
  skip: number;
}

describe('LeaseKeeper', () => {
  let server: NatsServer;
  let admin: Bus;
  let bucket: KvBucket<LeaseRecord>;
  let quick: KvBucket<LeaseRecord>;
  let live: string[] = [];
  const members: Member[] = [];
  let prefixes = 0;
  let prefix = 'meta0';

  const join = async (id: string, incarnation = `${id}-1`): Promise<Member> => {
    const bus = await connectBus({ servers: server.url, name: id });
    const leases = new KvBucket<LeaseRecord>(bus, bucket.name, bucket.ttlMs);
    const member = { id, bus, served: new Set<number>(), lost: [] as number[], handedOver: [] as number[], skip: 0 };
    live = [...new Set([...live, id])];
    const keeper = await LeaseKeeper.open({
      leases,
      prefix,
      owner: id,
      incarnation,
      shards: SHARDS,
      members: () => live,
      now: () => monotonicNow() + member.skip,
      onGained: (shard) => member.served.add(shard),
      onLosing: async (shard) => {
        member.served.delete(shard);
        member.handedOver.push(shard);
        await bus.flush();
      },
      onLost: (shard) => {
        member.served.delete(shard);
        member.lost.push(shard);
      },
    });
    const joined: Member = Object.assign(member, { keeper });
    members.push(joined);
    return joined;
  };

  const leave = (member: Member): void => {
    live = live.filter((id) => id !== member.id);
  };

  const allHeldOnce = (...among: Member[]): boolean => {
    for (let shard = 0; shard < SHARDS; shard++) {
      if (among.filter(({ keeper, served }) => keeper.holds(shard) && served.has(shard)).length !== 1) return false;
    }
    return true;
  };

  beforeAll(async () => {
    server = await startNatsServer();
    admin = await connectBus({ servers: server.url, name: 'admin' });
    await ensureStreamConfig(admin, {
      name: 'KV_quick_leases',
      subjects: ['$KV.quick_leases.>'],
      max_msgs_per_subject: 1,
      max_age: TTL * NANOSECONDS_PER_MS,
    });
    quick = new KvBucket<LeaseRecord>(admin, 'quick_leases', TTL);
  });

  beforeEach(() => {
    bucket = quick;
  });

  afterEach(async () => {
    await Promise.all(members.map(({ keeper }) => keeper.stop()));
    await Promise.all(members.splice(0).map(({ bus }) => bus.close()));
    live = [];
    prefix = `meta${++prefixes}`;
  });

  afterAll(async () => {
    await admin.close();
    await server.stop();
  });

  it('takes all free shards at once, and keeps them beyond their time to live', async () => {
    const first = await join('a');
    await until(() => allHeldOnce(first), { timeoutMs: 1000 });
    const start = monotonicNow();
    await until(() => monotonicNow() - start > TTL + 500 && allHeldOnce(first));
    expect(first.lost).toEqual([]);
    expect(first.keeper.held()).toEqual(Array.from({ length: SHARDS }, (_, shard) => shard));
  });

  it('hands over to a member that comes, never with two owners, and takes back when it leaves', async () => {
    const first = await join('a');
    await until(() => allHeldOnce(first));
    let doubles = 0;
    const watch = setInterval(() => {
      for (let shard = 0; shard < SHARDS; shard++) {
        if (members.filter(({ served }) => served.has(shard)).length > 1) doubles++;
      }
    }, 1);
    const second = await join('b');
    first.keeper.check();
    await until(() => allHeldOnce(first, second) && second.served.size > 0, { timeoutMs: 2000 });
    expect(first.handedOver.toSorted((a, b) => a - b)).toEqual(second.keeper.held());
    expect(first.lost).toEqual([]);
    leave(second);
    const start = monotonicNow();
    await second.keeper.stop();
    await until(() => allHeldOnce(first));
    expect(monotonicNow() - start).toBeLessThan(1000);
    clearInterval(watch);
    expect(doubles).toBe(0);
  });

  it('takes over from a member that was cut off within the time to live and half a second', async () => {
    bucket = await openBucket<LeaseRecord>(admin, 'leases');
    const first = await join('a');
    const second = await join('b');
    await until(() => allHeldOnce(first, second) && second.served.size > 0);
    // Its connection ends without a word, as with a killed process.
    const start = monotonicNow();
    await second.bus.connection.close();
    leave(second);
    let overlap = false;
    await until(
      () => {
        for (const shard of first.served) overlap ||= second.keeper.holds(shard);
        return first.served.size === SHARDS;
      },
      { timeoutMs: bucket.ttlMs + 1500 },
    );
    expect(monotonicNow() - start).toBeLessThan(3500);
    expect(overlap).toBe(false);
    expect(second.served.size).toBe(0);
  });

  it('does not trust its leases after a pause, and regains them', async () => {
    const only = await join('a');
    await until(() => allHeldOnce(only));
    only.skip += TTL;
    expect(only.keeper.held()).toEqual([]);
    await until(() => only.lost.length === SHARDS);
    expect(only.served.size).toBe(0);
    await until(() => allHeldOnce(only), { timeoutMs: TTL + 1500 });
  });

  it('stops serving a shard that another one took', async () => {
    const only = await join('a');
    await until(() => allHeldOnce(only));
    await bucket.put(`${prefix}.5`, { owner: 'thief', incarnation: 'x' });
    await until(() => only.lost.includes(5));
    expect(only.keeper.holds(5)).toBe(false);
    expect(only.served.has(5)).toBe(false);
    expect(only.served.size).toBe(SHARDS - 1);
    await until(() => only.keeper.holds(5), { timeoutMs: TTL + 1500 });
  });

  it('gives all leases back when it stops', async () => {
    const only = await join('a');
    await until(() => allHeldOnce(only));
    await only.keeper.stop();
    expect(only.handedOver).toHaveLength(SHARDS);
    expect((await bucket.keys()).filter((key) => key.startsWith(`${prefix}.`))).toEqual([]);
  });

  it('waits for the lease of its own earlier incarnation to expire', async () => {
    await bucket.put(`${prefix}.0`, { owner: 'a', incarnation: 'a-0' });
    const start = monotonicNow();
    const only = await join('a', 'a-1');
    await until(() => only.keeper.held().length === SHARDS - 1, { timeoutMs: 1000 });
    await until(() => only.keeper.holds(0), { timeoutMs: TTL + 1500 });
    expect(monotonicNow() - start).toBeGreaterThan(TTL - 100);
  });

  it('loses its leases while the server is away, and regains them', async () => {
    const only = await join('a');
    await until(() => allHeldOnce(only));
    await server.kill('SIGKILL');
    await until(() => only.lost.length === SHARDS, { timeoutMs: TTL + 1000 });
    expect(only.served.size).toBe(0);
    await server.restart();
    await until(() => allHeldOnce(only), { timeoutMs: TTL + 3000 });
  });
});
