/**
 * `make bench`: every figure of the README in one run, as ratios to a named reference measured beside it. Prints tables
 * and writes `e2e/bench/results.json`, in which figures of the same machine that were not measured again stay; `readme.js`
 * brings them into the README. Options: `--only staging,triggers,…`, and `--quick`: a few rounds, nothing is written.
 */
import { parseArgs } from 'node:util';
import { benchStridedCopy } from '@tidegate/array/bench';
import { benchBoxIndex, localityTable } from '@tidegate/geometry/bench';
import { kernelBench } from '@tidegate/kernels/bench';
import { benchSpill } from '@tidegate/raw-service/bench';
import { temporaryDirectory } from '@tidegate/testing';
import { type BenchCluster, type BenchClusterOptions, startRedis, withBenchCluster } from './bench-cluster.js';
import { benchCheckTime, CHECK_MEMORY_BYTES } from './check-time.js';
import { benchDecisionRate } from './decision-rate.js';
import { benchEventLatency } from './event-latency.js';
import { benchMemory } from './memory.js';
import { benchPutCost, benchPutOverhead, benchPutShards } from './put-cost.js';
import { tablesOf } from './report.js';
import { type Figures, mergeResults, readResults, thisSetting, writeResults } from './results.js';
import { SECTIONS, type Section, sectionsOf } from './sections.js';
import { benchSmallPut, benchStaging } from './staging.js';
import { terminalLines } from './table.js';

const { values: options } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, only: { type: 'string', default: 'all' } },
});
const { quick } = options;
let natsVersion: string | undefined;

function withCluster<T>(settings: BenchClusterOptions, use: (cluster: BenchCluster) => Promise<T>): Promise<T> {
  return withBenchCluster(settings, (cluster) => {
    natsVersion = cluster.nats.info?.version;
    return use(cluster);
  });
}

const MEASURE: Readonly<Record<Section, () => Promise<Figures>>> = {
  staging: () =>
    withCluster({ memory: 2 ** 31 }, async ({ tide, nats }) => {
      const redis = await startRedis();
      const rounds = quick ? 2 : 7;
      try {
        const subjects = { tide, nats, ...(redis && { redis: redis.client }) };
        return {
          staging: await benchStaging(subjects, [64 << 10, 1 << 20, 4 << 20, 16 << 20], rounds),
          smallPut: [await benchSmallPut(subjects, 1024, rounds)],
        };
      } finally {
        await redis?.stop();
      }
    }),
  index: async () => ({ boxIndex: benchBoxIndex([1e3, 1e4, 1e5]), locality: localityTable() }),
  copy: async () => ({
    stridedCopy: benchStridedCopy({ now: () => performance.now(), milliseconds: quick ? 50 : 200 }),
  }),
  spill: async () => {
    const folder = await temporaryDirectory('tidegate-bench-');
    try {
      return { spill: await benchSpill(folder.path) };
    } finally {
      await folder.remove();
    }
  },
  memory: async () => ({ memory: await benchMemory() }),
  kernels: async () => ({ kernels: await kernelBench() }),
  latency: () =>
    withCluster({ shards: 4 }, async (cluster) => ({
      eventLatency: await benchEventLatency(cluster, quick ? 1 : 15),
    })),
  check: () =>
    withCluster({ memory: CHECK_MEMORY_BYTES }, async (cluster) => ({
      checkTime: await benchCheckTime(cluster, quick ? 2 : 11),
    })),
  decisions: () =>
    withCluster({}, async (cluster) => ({
      decisionRate: await benchDecisionRate(cluster, { rounds: quick ? 1 : 5, decisions: quick ? 2000 : 8000 }),
    })),
  overhead: () =>
    withCluster({}, async (cluster) => ({
      putOverhead: await benchPutOverhead(cluster, [1 << 10, 64 << 10, 1 << 20], {
        rounds: quick ? 3 : 15,
        times: 200,
      }),
    })),
  cost: async () => {
    const rounds = { rounds: quick ? 2 : 9, times: 100 };
    const grown = await withCluster({}, (cluster) => benchPutCost(cluster, rounds));
    return { putCost: [...grown, ...(await benchPutShards([1, 4, 16, 64], rounds))] };
  },
};

const wanted = sectionsOf(options.only);
let figures: Figures = {};
for (const section of SECTIONS) {
  if (!wanted.has(section)) continue;
  const measured = await MEASURE[section]();
  for (const table of tablesOf(measured)) console.log(`\n${terminalLines(table).join('\n')}`);
  figures = { ...figures, ...measured };
}
if (!quick) {
  const newer = { date: new Date().toISOString(), ...thisSetting(natsVersion), figures };
  writeResults(mergeResults(readResults(), newer));
  console.log('\nwritten to e2e/bench/results.json');
}
