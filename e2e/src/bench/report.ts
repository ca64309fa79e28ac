import { type Column, formatBytes } from 'tidegate';
import type { Figures } from './results.js';
import type { StagingRow } from './staging.js';
import { type Table, tableOf } from './table.js';
import { triggerTables } from './trigger-report.js';

const megabytes = (bytes: number, milliseconds: number) => (bytes / milliseconds / 1000).toFixed(0);

const REDIS_COLUMNS: readonly Column<StagingRow>[] = [
  {
    title: 'Redis SET',
    value: ({ bytes, redisSet = Number.NaN }) => megabytes(bytes, redisSet),
    align: 'right',
  },
  {
    title: 'Redis GET',
    value: ({ bytes, redisGet = Number.NaN }) => megabytes(bytes, redisGet),
    align: 'right',
  },
];

/** The tables of what was measured, in the order in which they are told. */
export function tablesOf(figures: Figures): readonly Table[] {
  return [...stagingTables(figures), ...triggerTables(figures), ...storeTables(figures)];
}

function stagingTables({ staging, smallPut }: Figures): Table[] {
  const tables: Table[] = [];
  if (staging) {
    const redis = staging.some(({ redisSet }) => redisSet !== undefined);
    tables.push(
      tableOf(
        {
          title: 'Put and get through the SDK',
          note: 'MB/s; a ratio of 1.0 is plain NATS request/reply of the same bytes between two Node processes. Redis (ioredis) moves bulk bytes without a broker; its columns show the distance.',
        },
        [
          { title: 'size', value: ({ bytes }) => formatBytes(bytes), align: 'right' },
          { title: 'NATS put', value: ({ bytes, natsPut }) => megabytes(bytes, natsPut), align: 'right' },
          { title: 'put', value: ({ bytes, put }) => megabytes(bytes, put), align: 'right' },
          { title: 'ratio', value: ({ putRatio }) => putRatio.toFixed(2), align: 'right' },
          { title: 'NATS get', value: ({ bytes, natsGet }) => megabytes(bytes, natsGet), align: 'right' },
          { title: 'get', value: ({ bytes, get }) => megabytes(bytes, get), align: 'right' },
          { title: 'ratio', value: ({ getRatio }) => getRatio.toFixed(2), align: 'right' },
          ...(redis ? REDIS_COLUMNS : []),
        ],
        staging,
      ),
    );
  }
  if (smallPut) {
    tables.push(
      tableOf(
        { title: 'Small puts', note: 'Acknowledged: stored and indexed.' },
        [
          { title: 'size', value: ({ bytes }) => formatBytes(bytes), align: 'right' },
          { title: 'empty round trip ms', value: ({ roundTrip }) => roundTrip.toFixed(2), align: 'right' },
          { title: 'put p50 ms', value: ({ p50 }) => p50.toFixed(2), align: 'right' },
          { title: 'put p99 ms', value: ({ p99 }) => p99.toFixed(2), align: 'right' },
          { title: 'p50 in round trips', value: ({ roundTrips }) => roundTrips.toFixed(1), align: 'right' },
        ],
        smallPut,
      ),
    );
  }
  return tables;
}

function storeTables({ boxIndex, locality, stridedCopy, spill, memory }: Figures): Table[] {
  const tables: Table[] = [];
  if (boxIndex) {
    tables.push(
      tableOf(
        { title: 'Box index', note: 'Insert, and query of 0.1 % of the volume.' },
        [
          { title: 'partitions a step', value: ({ partitions }) => partitions, align: 'right' },
          { title: 'dimensions', value: ({ dimensions }) => dimensions, align: 'right' },
          { title: 'insert µs', value: ({ insertMicros }) => insertMicros.toFixed(1), align: 'right' },
          { title: 'query p50 µs', value: ({ searchP50Micros }) => searchP50Micros.toFixed(1), align: 'right' },
          { title: 'query p99 µs', value: ({ searchP99Micros }) => searchP99Micros.toFixed(1), align: 'right' },
        ],
        boxIndex,
      ),
    );
  }
  if (stridedCopy) {
    tables.push(
      tableOf(
        { title: 'Strided copies', note: 'GB/s, against a plain set of the same bytes.' },
        [
          { title: 'copy', value: ({ name }) => name },
          { title: 'GB/s', value: ({ gigabytesPerSecond }) => gigabytesPerSecond.toFixed(1), align: 'right' },
          {
            title: 'plain set GB/s',
            value: ({ plainSetGigabytesPerSecond }) => plainSetGigabytesPerSecond.toFixed(1),
            align: 'right',
          },
        ],
        stridedCopy,
      ),
    );
  }
  if (spill) {
    const rate = (value: number) => value.toFixed(0);
    tables.push(
      tableOf(
        { title: 'Disk tier', note: 'MB/s, against plain files that are written and synced, and read.' },
        [
          { title: 'partitions of', value: ({ partitionBytes }) => formatBytes(partitionBytes), align: 'right' },
          { title: 'spill', value: (row) => rate(row.spillMegabytesPerSecond), align: 'right' },
          { title: 'plain write', value: (row) => rate(row.plainWriteMegabytesPerSecond), align: 'right' },
          { title: 'read back', value: (row) => rate(row.readMegabytesPerSecond), align: 'right' },
          { title: 'plain read', value: (row) => rate(row.plainReadMegabytesPerSecond), align: 'right' },
        ],
        spill,
      ),
    );
  }
  if (memory) {
    tables.push(
      tableOf(
        { title: 'Memory', note: 'Segments are a fixed budget, allocated once.' },
        [
          { title: 'service', value: ({ service }) => service },
          { title: 'staged', value: ({ stagedBytes }) => formatBytes(stagedBytes), align: 'right' },
          { title: 'segments', value: ({ segmentBytes }) => formatBytes(segmentBytes), align: 'right' },
          { title: 'process beside them', value: ({ residentBytes }) => formatBytes(residentBytes), align: 'right' },
          {
            title: 'per staged byte beyond 150 MiB',
            value: ({ perStagedByte }) => perStagedByte.toFixed(3),
            align: 'right',
          },
        ],
        memory,
      ),
    );
  }
  if (locality) {
    tables.push(
      tableOf(
        { title: 'Locality', note: 'Shards that a random box of 1/64 of the volume touches.' },
        [
          { title: 'shape', value: ({ shape }) => shape.join('x') },
          { title: 'shards', value: ({ shards }) => shards, align: 'right' },
          { title: 'Hilbert curve', value: ({ hilbert }) => hilbert.toFixed(2), align: 'right' },
          { title: 'row-major runs', value: ({ rowMajor }) => rowMajor.toFixed(2), align: 'right' },
          { title: 'largest over mean shard', value: ({ imbalance }) => imbalance.toFixed(3), align: 'right' },
        ],
        locality,
      ),
    );
  }
  return tables;
}
