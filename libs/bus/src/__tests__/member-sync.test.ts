import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type MemberRecord, syncSubject } from '@tidegate/protocol';
import { type NatsServer, startNatsServer, until } from '@tidegate/testing';
import type { Bus } from '../bus.js';
import { connectBus } from '../connect.js';
import { newIncarnation } from '../incarnation.js';
import { type KvBucket, openBucket } from '../kv.js';
import { KvCache } from '../kv-cache.js';
import { announce } from '../member.js';
import { catchUp, serveSync, syncMembers } from '../member-sync.js';
import { Roster } from '../roster.js';
import { type Subscribed, subscribe } from '../subscribe.js';

let server: NatsServer;
let bus: Bus;
let members: KvBucket<MemberRecord>;
let roster: Roster;

beforeAll(async () => {
  server = await startNatsServer();
  bus = await connectBus({ servers: server.url, name: 'test' });
  members = await openBucket<MemberRecord>(bus, 'members');
  roster = await Roster.open(bus, members);
});

afterAll(async () => {
  roster.stop();
  await bus.close();
  await server.stop();
});

async function member(id: string, kind: MemberRecord['kind'], incarnation = newIncarnation()) {
  const record: MemberRecord = { id, kind, incarnation, host: 'h', pid: 1, startedAt: '' };
  const announced = await announce(bus, members, () => record);
  await until(() => roster.get(kind, id)?.incarnation === incarnation, { what: `${id} to be seen` });
  return announced;
}

test('returns once every live member has seen the revision', async () => {
  const bucket = await openBucket<number>(bus, 'runs');
  const runs = await KvCache.open(bucket);
  const other = { waitFor: () => Promise.reject(new Error('another bucket')) };
  const served = serveSync(bus, 'm1', { variables: other, runs });
  const asked: unknown[] = [];
  const answers = Promise.withResolvers<void>();
  const raw = subscribe(bus, syncSubject('r1'), async ({ data }) => {
    asked.push(JSON.parse(new TextDecoder().decode(data)));
    await answers.promise;
    return { data: new Uint8Array() };
  });
  const stops = [await member('m1', 'meta'), await member('r1', 'raw'), await member('e1', 'engine')];
  const revision = await bucket.put('r', 1);
  let done = false;
  const synced = syncMembers(bus, roster, 'runs', revision, { kinds: ['meta', 'raw'] }).then(() => {
    done = true;
  });
  await until(() => asked.length > 0, { what: 'the raw-service to be asked' });
  await bus.flush();
  expect(done).toBe(false);
  answers.resolve();
  await synced;
  expect(asked).toEqual([{ bucket: 'runs', revision }]);
  await expect(
    bus.requestJson(syncSubject('m1'), { bucket: 'leases', revision: 1 }, { timeoutMs: 1000 }),
  ).rejects.toMatchObject({ field: 'bucket', message: expect.stringContaining('variables, runs') });
  await expect(
    bus.requestJson(syncSubject('m1'), { bucket: 'runs', revision: 'x' }, { timeoutMs: 1000 }),
  ).rejects.toMatchObject({ field: 'revision' });
  await Promise.all([...stops.map((one) => one.stop()), served.stop(), raw.stop()]);
  runs.stop();
});

test('a member that leaves, or starts anew, is not waited for', async () => {
  const gone = await member('r2', 'raw');
  const again = await member('r3', 'raw', '01A');
  const synced = syncMembers(bus, roster, 'pins', 7, { kinds: ['raw'] });
  await gone.stop();
  const anew = await member('r3', 'raw', '01B');
  await synced;
  await Promise.all([again.stop(), anew.stop()]);
});

test('a member that lives and does not follow is named', async () => {
  let asked = 0;
  const deaf: Subscribed = subscribe(bus, syncSubject('r4'), () => {
    asked++;
    throw new Error('cannot');
  });
  const stays = await member('r4', 'raw');
  await expect(syncMembers(bus, roster, 'pins', 7, { kinds: ['raw'], withinMs: 200 })).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringContaining('r4'),
  });
  expect(asked).toBeGreaterThan(1);
  await Promise.all([stays.stop(), deaf.stop()]);
});

test('catching up takes in what the bucket holds now, and is done at once where nothing is missing', async () => {
  const bucket = await openBucket<number>(bus, 'triggers');
  const cache = await KvCache.open(bucket);
  await catchUp(bucket, cache, 0);
  for (let n = 0; n < 50; n++) {
    const written = await bucket.put(`t${n % 3}`, n);
    await catchUp(bucket, cache, 5000);
    expect(cache.revision).toBeGreaterThanOrEqual(written);
    expect(cache.get(`t${n % 3}`)).toBe(n);
  }
  cache.stop();
  await bucket.put('unseen', 1);
  await expect(catchUp(bucket, cache, 20)).rejects.toMatchObject({ code: 'TIMEOUT' });
});
