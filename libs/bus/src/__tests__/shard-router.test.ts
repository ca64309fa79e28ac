import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  OWNERS,
  OWNERS_ASK,
  type ShardReply,
  type ShardRequest,
  shardSubject,
  UnavailableError,
} from '@tidegate/protocol';
import { type NatsServer, startNatsServer, until } from '@tidegate/testing';
import { monotonicNow } from '../clock.js';
import { type Bus, connectBus } from '../connect.js';
import { OwnerTable } from '../owner-table.js';
import { ShardRouter } from '../shard-router.js';
import { type Subscribed, subscribe } from '../subscribe.js';

interface Told extends ShardReply {
  readonly by?: string;
}

let server: NatsServer;
let services: Bus;
let bus: Bus;
let owners: OwnerTable;
let router: ShardRouter;
const running: Subscribed[] = [];
/** Shards of each request that arrived, by service. */
let heard: Record<string, number[][]> = {};

beforeAll(async () => {
  server = await startNatsServer({});
  services = await connectBus({ servers: server.url, name: 'owners' });
});
afterAll(async () => {
  await services.close();
  await server.stop();
});
beforeEach(async () => {
  heard = {};
  bus = await connectBus({ servers: server.url, name: 'caller' });
  owners = OwnerTable.open(bus);
  router = new ShardRouter(bus, owners);
  await bus.flush();
});
afterEach(async () => {
  owners.close();
  await bus.close();
  await Promise.all(running.splice(0).map((subscribed) => subscribed.stop()));
});

/** A stand-in for a meta-service: owns `shards`, disowns the others of a request. */
function own(
  id: string,
  shards: readonly number[],
  answer: (request: ShardRequest) => Promise<Told> | Told = () => ({}),
): void {
  heard[id] = [];
  for (const shard of shards) {
    running.push(
      subscribe(services, shardSubject(shard, 'plan'), async ({ data }) => {
        const request = JSON.parse(new TextDecoder().decode(data)) as ShardRequest;
        heard[id]?.push([...request.shards]);
        const notOwned = request.shards.filter((asked) => !shards.includes(asked));
        const reply = { ...(await answer(request)), by: id, ...(notOwned.length > 0 && { notOwned }) };
        return { data: new TextEncoder().encode(JSON.stringify(reply)) };
      }),
    );
  }
}

async function announce(id: string, shards: readonly number[]): Promise<void> {
  services.publish(OWNERS, new TextEncoder().encode(JSON.stringify({ id, shards })));
  await until(() => shards.every((shard) => owners.owner(shard) === id), { what: `${id} to be known as owner` });
}

function ask(shards: readonly number[], timeoutMs = 3000, waitMs = 0): Promise<readonly Told[]> {
  return router.request<ShardRequest, Told>('plan', shards, () => ({}), {
    deadline: monotonicNow() + timeoutMs,
    waitMs,
  });
}

describe('OwnerTable', () => {
  it('asks for announcements, and takes back what an owner does not name any more', async () => {
    const asked = new Promise((resolve) => services.listen(OWNERS_ASK, resolve));
    await services.flush();
    const other = OwnerTable.open(bus);
    await asked;
    other.close();
    await announce('a', [0, 1, 2]);
    await announce('a', [0, 1]);
    await until(() => owners.owner(2) === undefined, { what: 'shard 2 to be given up' });
    expect(owners.owner(1)).toBe('a');
    await announce('b', [1]);
    expect([owners.owner(0), owners.owner(1)]).toEqual(['a', 'b']);
  });

  it('takes no notice of rubbish', async () => {
    for (const text of [
      '',
      '{',
      '[]',
      '{"id":3,"shards":[1]}',
      '{"id":"x","shards":[-1]}',
      '{"id":"x","shards":"1"}',
    ]) {
      services.publish(OWNERS, new TextEncoder().encode(text));
    }
    await announce('a', [7]);
    expect(owners.owner(1)).toBeUndefined();
  });
});

describe('ShardRouter', () => {
  it('sends one message for all shards of one owner', async () => {
    own('a', [0, 1, 2, 3]);
    own('b', [4, 5]);
    await announce('a', [0, 1, 2, 3]);
    await announce('b', [4, 5]);
    expect(router.groups([0, 2, 3, 5])).toEqual([[0, 2, 3], [5]]);
    const replies = await ask([0, 2, 3, 5]);
    expect(replies.map(({ by }) => by).sort()).toEqual(['a', 'b']);
    expect(heard).toEqual({ a: [[0, 2, 3]], b: [[5]] });
  });

  it('asks each unknown shard by itself', async () => {
    own('a', [0, 1]);
    expect(router.groups([0, 1])).toEqual([[0], [1]]);
    expect(await ask([0, 1])).toHaveLength(2);
  });

  it('asks again for shards that an owner disowns', async () => {
    own('a', [0, 1]);
    own('b', [2]);
    await announce('a', [0, 1, 2]);
    const replies = await ask([0, 1, 2]);
    expect(replies.map(({ by }) => by)).toEqual(['a', 'b']);
    expect(heard['b']).toEqual([[2]]);
  });

  it('takes no reply of one that disowns everything', async () => {
    let owned = false;
    running.push(
      subscribe(services, shardSubject(9, 'plan'), () => {
        const reply = owned ? { by: 'now' } : { notOwned: [9] };
        owned = true;
        return { data: new TextEncoder().encode(JSON.stringify(reply)) };
      }),
    );
    expect(await ask([9])).toEqual([{ by: 'now' }]);
  });

  it('waits for an owner to come, and for no longer than its deadline', async () => {
    const late = ask([0]);
    await expect(ask([1], 200)).rejects.toThrow(UnavailableError);
    own('a', [0]);
    expect((await late).map(({ by }) => by)).toEqual(['a']);
  });

  it('sends a waiting request on to a new owner at once', async () => {
    own('paused', [0], () => new Promise<Told>((resolve) => setTimeout(resolve, 4000, {}).unref()));
    await announce('paused', [0]);
    const waiting = ask([0], 20_000, 10_000);
    await until(() => heard['paused']?.length === 1, { what: 'the request to arrive' });
    const old = running.pop();
    own('b', [0]);
    await services.flush();
    const start = monotonicNow();
    await announce('b', [0]);
    expect((await waiting).map(({ by }) => by)).toEqual(['b']);
    expect(monotonicNow() - start).toBeLessThan(1000);
    await old?.stop(0);
  });

  it('gives up when told to', async () => {
    const controller = new AbortController();
    const asked = router.request<ShardRequest, Told>('plan', [3], () => ({}), {
      deadline: monotonicNow() + 5000,
      signal: controller.signal,
    });
    controller.abort(new Error('enough'));
    await expect(asked).rejects.toThrow('enough');
  });
});
