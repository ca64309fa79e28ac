import type { Tidegate } from '@tidegate/client';
import { type BenchCluster, startBenchCluster } from './bench-cluster.js';
import { comparePuts, type PutVariant } from './compared-puts.js';

export interface PutRounds {
  readonly rounds: number;
  readonly times: number;
}

/** A put with a trigger on its region and without one. */
export interface PutOverheadRow {
  readonly bytes: number;
  readonly without: number;
  readonly withTrigger: number;
  readonly withTriggerP99: number;
  /** 0.25 is 25 % more. */
  readonly overhead: number;
}

/** What a put costs as one thing grows. */
export interface PutCostRow {
  readonly growing: string;
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  /** p50 as a multiple of the first row of its kind. */
  readonly ratio: number;
}

const SMALL_BYTES = 1024;
const PARTITIONS = 8;
/** Registrations under way at a time. */
const REGISTERING = 16;

interface VariableOptions {
  readonly name: string;
  readonly bytes?: number;
  /** Of a step. */
  readonly partitions?: number;
  /** Triggers on all of it. */
  readonly triggers?: number;
  /** Triggers on a part that nobody puts. */
  readonly elsewhere?: number;
}

/** Overhead of one metadata trigger, by size; a step is eight partitions. */
export async function benchPutOverhead(
  { tide }: BenchCluster,
  sizes: readonly number[],
  rounds: PutRounds,
): Promise<PutOverheadRow[]> {
  const rows: PutOverheadRow[] = [];
  for (const bytes of sizes) {
    const names = [`bench_plain_${bytes}`, `bench_watched_${bytes}`];
    const variants = [
      await prepare(tide, { name: names[0] ?? '', bytes }),
      await prepare(tide, { name: names[1] ?? '', bytes, triggers: 1 }),
    ];
    const times = Math.min(rounds.times, Math.max(32, Math.floor((32 << 20) / bytes)));
    const [plain, watched] = await comparePuts(variants, { ...rounds, times });
    for (const name of names) await tide.deleteVariable(name);
    if (!plain || !watched) continue;
    rows.push({
      bytes,
      without: plain.p50,
      withTrigger: watched.p50,
      withTriggerP99: watched.p99,
      overhead: watched.ratio - 1,
    });
  }
  return rows;
}

/** Cost of a put of 1 KiB against the number of triggers on its region, elsewhere, and of partitions of a step. */
export async function benchPutCost({ tide }: BenchCluster, rounds: PutRounds): Promise<PutCostRow[]> {
  const grow = async (
    growing: string,
    counts: readonly number[],
    options: (count: number) => Partial<VariableOptions>,
  ) => {
    const variables = counts.map((count) => ({
      name: `bench_${growing.replace(/\W+/g, '_')}_${count}`,
      ...options(count),
    }));
    const variants: PutVariant[] = [];
    for (const variable of variables) variants.push(await prepare(tide, variable));
    const times = await comparePuts(variants, rounds);
    for (const { name } of variables) await tide.deleteVariable(name);
    return times.map((each, at) => ({ growing, count: counts[at] ?? 0, ...each }));
  };
  return [
    ...(await grow('triggers on the region', [0, 1, 2, 4, 8, 16], (triggers) => ({ triggers }))),
    ...(await grow('triggers elsewhere', [0, 100, 1000], (elsewhere) => ({ elsewhere }))),
    ...(await grow('partitions a step', [1, 8, 64], (partitions) => ({ partitions, triggers: 1 }))),
  ];
}

/** Cost of a put of 1 KiB that is all of a step, so of every shard, with one trigger, against the number of shards. */
export async function benchPutShards(counts: readonly number[], rounds: PutRounds): Promise<PutCostRow[]> {
  const clusters: BenchCluster[] = [];
  try {
    const variants: PutVariant[] = [];
    for (const shards of counts) {
      const cluster = await startBenchCluster({ shards, memory: 64 << 20 });
      clusters.push(cluster);
      variants.push(await prepare(cluster.tide, { name: 'bench_shards', partitions: 1, triggers: 1 }));
    }
    const times = await comparePuts(variants, rounds);
    return times.map((each, at) => ({ growing: 'shards of the partition', count: counts[at] ?? 0, ...each }));
  } finally {
    await Promise.all(clusters.map((cluster) => cluster.stop()));
  }
}

/** Declares a variable, twice as wide as what is put, registers its triggers, and tells how to put its steps. */
async function prepare(tide: Tidegate, options: VariableOptions): Promise<PutVariant> {
  const { name, bytes = SMALL_BYTES, partitions = PARTITIONS, triggers = 0, elsewhere = 0 } = options;
  const whole = elsewhere === 0;
  await tide.declare({ name, dtype: 'uint8', shape: [whole ? partitions : 2 * partitions, bytes], window: 1_000_000 });
  const register = (at: number, box?: string) =>
    tide.triggers.register({
      name: `${name}_${at}`,
      on: { variable: name, ...(box !== undefined && { box }) },
      compare: { condition: 'step < 0' },
    });
  for (let at = 0; at < triggers; at++) await register(at);
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let at = next++; at < elsewhere; at = next++)
      await register(at, `${partitions + (at % partitions)}:${2 * partitions},${at % bytes}:${bytes}`);
  };
  await Promise.all(Array.from({ length: REGISTERING }, lane));
  const data = new Uint8Array(bytes);
  let cleared = 0;
  let newest = -1;
  return {
    put(turn) {
      const place = turn % partitions;
      newest = Math.floor(turn / partitions);
      return tide.put({ variable: name, step: newest, box: `${place}:${place + 1},0:${bytes}`, data });
    },
    async clear() {
      if (newest <= cleared) return;
      // The step that is begun stays.
      await tide.delete({ variable: name, steps: `${cleared}:${newest}` });
      cleared = newest;
    },
  };
}
