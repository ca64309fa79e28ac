import { type Column, formatBytes, tableLines } from 'tidegate';
import type { MemoryRow } from './memory.js';
import type { SmallPutRow, StagingRow } from './staging.js';

const megabytes = (bytes: number, milliseconds: number) => (bytes / milliseconds / 1000).toFixed(0);

export function stagingTable(rows: readonly StagingRow[]): readonly string[] {
  const columns: Column<StagingRow>[] = [
    { title: 'size', value: ({ bytes }) => formatBytes(bytes), align: 'right' },
    { title: 'NATS put MB/s', value: ({ bytes, natsPut }) => megabytes(bytes, natsPut), align: 'right' },
    { title: 'put MB/s', value: ({ bytes, put }) => megabytes(bytes, put), align: 'right' },
    { title: 'ratio', value: ({ putRatio }) => putRatio.toFixed(2), align: 'right' },
    { title: 'NATS get MB/s', value: ({ bytes, natsGet }) => megabytes(bytes, natsGet), align: 'right' },
    { title: 'get MB/s', value: ({ bytes, get }) => megabytes(bytes, get), align: 'right' },
    { title: 'ratio', value: ({ getRatio }) => getRatio.toFixed(2), align: 'right' },
  ];
  if (rows.some(({ redisSet }) => redisSet !== undefined)) {
    columns.push(
      {
        title: 'Redis SET MB/s',
        value: ({ bytes, redisSet }) => megabytes(bytes, redisSet ?? Number.NaN),
        align: 'right',
      },
      {
        title: 'Redis GET MB/s',
        value: ({ bytes, redisGet }) => megabytes(bytes, redisGet ?? Number.NaN),
        align: 'right',
      },
    );
  }
  return tableLines(columns, rows);
}

export function smallPutTable(rows: readonly SmallPutRow[]): readonly string[] {
  return tableLines<SmallPutRow>(
    [
      { title: 'size', value: ({ bytes }) => formatBytes(bytes), align: 'right' },
      { title: 'empty round trip ms', value: ({ roundTrip }) => roundTrip.toFixed(3), align: 'right' },
      { title: 'put p50 ms', value: ({ p50 }) => p50.toFixed(3), align: 'right' },
      { title: 'put p99 ms', value: ({ p99 }) => p99.toFixed(3), align: 'right' },
      { title: 'p50 in round trips', value: ({ roundTrips }) => roundTrips.toFixed(2), align: 'right' },
    ],
    rows,
  );
}

export function memoryTable(rows: readonly MemoryRow[]): readonly string[] {
  return tableLines<MemoryRow>(
    [
      { title: 'service', value: ({ service }) => service },
      { title: 'staged', value: ({ stagedBytes }) => formatBytes(stagedBytes), align: 'right' },
      { title: 'segments', value: ({ segmentBytes }) => formatBytes(segmentBytes), align: 'right' },
      { title: 'process', value: ({ residentBytes }) => formatBytes(residentBytes), align: 'right' },
      {
        title: 'per staged byte beyond 150 MiB',
        value: ({ perStagedByte }) => perStagedByte.toFixed(3),
        align: 'right',
      },
    ],
    rows,
  );
}

/** A table of rows whose columns are their keys, for figures that need no more. */
export function plainTable(rows: readonly Readonly<Record<string, unknown>>[]): readonly string[] {
  const [first] = rows;
  if (!first) return [];
  return tableLines(
    Object.keys(first).map(
      (key): Column<Readonly<Record<string, unknown>>> => ({
        title: key,
        value: (row) => shown(row[key]),
        align: typeof first[key] === 'number' ? 'right' : 'left',
      }),
    ),
    rows,
  );
}

function shown(value: unknown): string {
  if (typeof value !== 'number') return Array.isArray(value) ? value.join('x') : String(value);
  if (Number.isInteger(value)) return String(value);
  return value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(2) : value.toFixed(4);
}
