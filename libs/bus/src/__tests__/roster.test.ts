import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { MemberRecord } from '@tidegate/protocol';
import { type NatsServer, startNatsServer, until } from '@tidegate/testing';
import type { Bus } from '../bus.js';
import { monotonicNow } from '../clock.js';
import { connectBus } from '../connect.js';
import { jetStreamApi } from '../jetstream.js';
import { KvBucket } from '../kv.js';
import { type Announcement, announce } from '../member.js';
import { Roster } from '../roster.js';
import { ensureStreamConfig, NANOSECONDS_PER_MS } from '../stream-config.js';

const TTL = 1200;

function record(id: string, changes: Partial<MemberRecord> = {}): MemberRecord {
  return { id, kind: 'raw', incarnation: '1', host: 'h', pid: 1, startedAt: '2026-01-01T00:00:00Z', ...changes };
}

describe('Roster and announce', () => {
  let server: NatsServer;
  let bus: Bus;
  let other: Bus;
  let mine: KvBucket<MemberRecord>;
  let theirs: KvBucket<MemberRecord>;
  let roster: Roster;
  let log: string[] = [];
  const announcements: Announcement[] = [];

  const announced = async (say: () => MemberRecord, members = theirs): Promise<Announcement> => {
    const announcement = await announce(members.bus, members, say);
    announcements.push(announcement);
    return announcement;
  };

  const open = async (): Promise<void> => {
    log = [];
    roster = await Roster.open(bus, mine, {
      onJoin: ({ id, incarnation }) => log.push(`join ${id} ${incarnation}`),
      onLeave: ({ id, incarnation }) => log.push(`leave ${id} ${incarnation}`),
      onChange: ({ id, freeBytes }) => log.push(`change ${id} ${freeBytes}`),
    });
  };

  beforeAll(async () => {
    server = await startNatsServer();
    bus = await connectBus({ servers: server.url, name: 'roster' });
    other = await connectBus({ servers: server.url, name: 'member' });
    await ensureStreamConfig(bus, {
      name: 'KV_members',
      subjects: ['$KV.members.>'],
      max_msgs_per_subject: 1,
      max_age: TTL * NANOSECONDS_PER_MS,
    });
    mine = new KvBucket(bus, 'members', TTL);
    theirs = new KvBucket(other, 'members', TTL);
  });

  afterEach(async () => {
    roster.stop();
    await Promise.all(announcements.splice(0).map((announcement) => announcement.stop()));
    await jetStreamApi(bus, `STREAM.PURGE.${mine.streamName}`);
  });

  afterAll(async () => {
    await bus.close();
    await other.close();
    await server.stop();
  });

  it('tells who comes, changes, is another incarnation, and leaves', async () => {
    let free = 10;
    await open();
    const first = await announced(() => record('a', { freeBytes: free }));
    await until(() => roster.isLive('raw', 'a'));
    free = 20;
    first.update();
    await until(() => roster.get('raw', 'a')?.freeBytes === 20);
    await theirs.put('raw.a', record('a', { incarnation: '2' }));
    await until(() => roster.get('raw', 'a')?.incarnation === '2');
    await theirs.delete('raw.a');
    await until(() => !roster.isLive('raw', 'a'));
    expect(log).toEqual(['join a 1', 'change a 20', 'leave a 1', 'join a 2', 'leave a 2']);
  });

  it('keeps kinds apart, and knows who was there before', async () => {
    await announced(() => record('a'));
    await announced(() => record('a', { kind: 'meta' }));
    await announced(() => record('b', { kind: 'meta' }));
    await open();
    expect(roster.live('raw').map(({ id }) => id)).toEqual(['a']);
    expect(
      roster
        .live('meta')
        .map(({ id }) => id)
        .sort(),
    ).toEqual(['a', 'b']);
    expect(roster.fresh('meta', TTL)).toHaveLength(2);
    expect(roster.isLive('engine', 'a')).toBe(false);
  });

  it('keeps a member alive as long as it renews, and drops a silent one after the time to live', async () => {
    await open();
    await announced(() => record('steady'));
    await theirs.put('raw.silent', record('silent'));
    await until(() => roster.live('raw').length === 2);
    const start = monotonicNow();
    await until(() => !roster.isLive('raw', 'silent'));
    expect(monotonicNow() - start).toBeGreaterThan(TTL - 100);
    expect(monotonicNow() - start).toBeLessThan(TTL + 600);
    expect(roster.isLive('raw', 'steady')).toBe(true);
    expect(roster.fresh('raw', TTL)).toEqual(['steady']);
    expect(log.filter((line) => line.startsWith('leave'))).toEqual(['leave silent 1']);
  });

  it('removes only its own record when it stops', async () => {
    await open();
    const first = await announced(() => record('a'));
    await first.stop();
    await until(() => log.includes('leave a 1'));
    const second = await announced(() => record('a'));
    await theirs.put('raw.a', record('a', { incarnation: 'successor' }));
    await second.stop();
    expect((await theirs.get('raw.a'))?.value.incarnation).toBe('successor');
  });

  it('takes nobody for gone because the server was away', async () => {
    await open();
    await announced(() => record('a'));
    await until(() => roster.isLive('raw', 'a'));
    await server.kill('SIGKILL');
    const start = monotonicNow();
    await until(() => monotonicNow() - start > TTL * 1.5, { what: 'records to expire on the server' });
    expect(roster.isLive('raw', 'a')).toBe(true);
    await server.restart();
    await until(() => bus.connected && other.connected);
    const back = monotonicNow();
    await until(() => monotonicNow() - back > TTL * 1.5, { what: 'a time to live after the interruption' });
    expect(roster.isLive('raw', 'a')).toBe(true);
    expect(log).toEqual(['join a 1']);
  });

  it('drops who did not come back after an interruption', async () => {
    await open();
    await theirs.put('raw.gone', record('gone'));
    await until(() => roster.isLive('raw', 'gone'));
    await server.restart();
    await until(() => log.includes('leave gone 1'));
  });
});
