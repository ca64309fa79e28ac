import type { Tidegate } from '@tidegate/client';
import type { Redis } from 'ioredis';
import type { NatsConnection } from 'nats';
import { median, quantile, timings } from './stats.js';

export interface StagingSubjects {
  readonly tide: Tidegate;
  readonly nats: NatsConnection;
  readonly redis?: Redis;
}

/** Medians over interleaved rounds, in milliseconds an operation. */
export interface StagingRow {
  readonly bytes: number;
  readonly natsPut: number;
  readonly put: number;
  readonly putRatio: number;
  readonly natsGet: number;
  readonly get: number;
  readonly getRatio: number;
  readonly redisSet?: number;
  readonly redisGet?: number;
}

export interface SmallPutRow {
  readonly bytes: number;
  readonly roundTrip: number;
  readonly p50: number;
  readonly p99: number;
  readonly roundTrips: number;
}

/** Partitions of a step: the domain is so many times as large as a put. */
const BOXES = 8;
const TIMEOUT_MS = 20_000;
/** Rounds before the first that counts, for compilers and caches of all that is compared. */
const WARM_UP = 3;

/**
 * Put and get of blocks through the SDK against plain NATS request/reply of the same bytes and, where given, Redis.
 * Every round does each of them in turn, so a slow moment of the machine hits all alike.
 */
export async function benchStaging(
  { tide, nats, redis }: StagingSubjects,
  sizes: readonly number[],
  rounds: number,
): Promise<StagingRow[]> {
  const rows: StagingRow[] = [];
  for (const bytes of sizes) {
    const cells = bytes / 8;
    const variable = `bench_${bytes}`;
    await tide.declare({ name: variable, dtype: 'float64', shape: [BOXES, cells], window: 1000 });
    const data = new Float64Array(cells).map((_, at) => at);
    const payload = new Uint8Array(data.buffer);
    const times = Math.max(4, Math.min(BOXES * 32, Math.floor((32 << 20) / bytes)));
    const boxOf = (turn: number) => `${turn % BOXES}:${(turn % BOXES) + 1},0:${cells}`;
    const into = new Uint8Array(bytes);
    const asked = new TextEncoder().encode(String(bytes));
    const taken = {
      natsPut: [] as number[],
      put: [] as number[],
      natsGet: [] as number[],
      get: [] as number[],
      set: [] as number[],
      got: [] as number[],
    };
    for (let round = -WARM_UP; round < rounds; round++) {
      const step = (turn: number) => (round + WARM_UP) * 1000 + Math.floor(turn / BOXES);
      const natsPut = await timings(times, () => nats.request('echo.put', payload, { timeout: TIMEOUT_MS }));
      const put = await timings(times, (turn) => tide.put({ variable, step: step(turn), box: boxOf(turn), data }));
      const natsGet = await timings(times, () => nats.request('echo.get', asked, { timeout: TIMEOUT_MS }));
      const get = await timings(times, (turn) => tide.get({ variable, step: step(turn), box: boxOf(turn), into }));
      const set = redis
        ? await timings(times, (turn) => redis.set(`bench:${turn % BOXES}`, Buffer.from(payload.buffer)))
        : [];
      const got = redis ? await timings(times, (turn) => redis.getBuffer(`bench:${turn % BOXES}`)) : [];
      await tide.delete({ variable, steps: `${step(0)}:${step(times) + 1}` });
      if (round < 0) continue;
      for (const [name, values] of Object.entries({ natsPut, put, natsGet, get, set, got }))
        taken[name as keyof typeof taken].push(median(values));
    }
    await tide.deleteVariable(variable);
    const natsPut = median(taken.natsPut);
    const put = median(taken.put);
    const natsGet = median(taken.natsGet);
    const get = median(taken.get);
    rows.push({
      bytes,
      natsPut,
      put,
      putRatio: natsPut / put,
      natsGet,
      get,
      getRatio: natsGet / get,
      ...(redis && { redisSet: median(taken.set), redisGet: median(taken.got) }),
    });
  }
  return rows;
}

/** Latency of a small put, as a multiple of an empty NATS round trip of the same run. */
export async function benchSmallPut(
  { tide, nats }: StagingSubjects,
  bytes: number,
  rounds: number,
): Promise<SmallPutRow> {
  const variable = 'bench_small';
  await tide.declare({ name: variable, dtype: 'uint8', shape: [BOXES, bytes], window: 1000 });
  const data = new Uint8Array(bytes);
  const empty = new Uint8Array();
  const trips: number[] = [];
  const puts: number[] = [];
  for (let round = -WARM_UP; round < rounds; round++) {
    const trip = await timings(200, () => nats.request('echo.put', empty, { timeout: TIMEOUT_MS }));
    const step = (turn: number) => (round + WARM_UP) * 1000 + Math.floor(turn / BOXES);
    const put = await timings(200, (turn) =>
      tide.put({ variable, step: step(turn), box: `${turn % BOXES}:${(turn % BOXES) + 1},0:${bytes}`, data }),
    );
    if (round < 0) continue;
    trips.push(...trip);
    puts.push(...put);
  }
  await tide.deleteVariable(variable);
  const roundTrip = median(trips);
  const p50 = median(puts);
  return { bytes, roundTrip, p50, p99: quantile(puts, 0.99), roundTrips: p50 / roundTrip };
}
