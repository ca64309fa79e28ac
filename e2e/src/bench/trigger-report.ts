import type { KernelBenchRow } from '@tidegate/kernels/bench';
import { type Column, formatBytes } from 'tidegate';
import type { Figures } from './results.js';
import { type Table, tableOf } from './table.js';

/** The tables of triggers and kernels. */
export function triggerTables(figures: Figures): Table[] {
  const { eventLatency, checkTime, kernels, decisionRate, putOverhead, putCost } = figures;
  const tables: Table[] = [];
  if (eventLatency) {
    tables.push(
      tableOf(
        {
          title: 'Put acknowledged to event delivered',
          note: 'One metadata trigger over 4 shards, each with a partition of the step; the clock starts at the answer to the last put. Busy: every core also runs an endless loop.',
        },
        [
          { title: 'cores', value: ({ cores }) => cores },
          { title: 'empty round trip ms', value: ({ roundTrip }) => roundTrip.toFixed(2), align: 'right' },
          { title: 'p50 ms', value: ({ p50 }) => p50.toFixed(2), align: 'right' },
          { title: 'p99 ms', value: ({ p99 }) => p99.toFixed(2), align: 'right' },
          { title: 'p50 in round trips', value: ({ roundTrips }) => roundTrips.toFixed(1), align: 'right' },
        ],
        eventLatency,
      ),
    );
  }
  if (checkTime) {
    tables.push(
      tableOf(
        {
          title: 'Minimum, maximum, mean and NaN of a step',
          note: '64 partitions of 64^3 float64, in one pass near the data; `event` is from the answer to the last put to the delivery of the event.',
        },
        [
          { title: 'partitions', value: ({ partitions }) => partitions, align: 'right' },
          { title: 'bytes', value: ({ bytes }) => formatBytes(bytes), align: 'right' },
          { title: 'check ms', value: ({ check }) => check.toFixed(1), align: 'right' },
          { title: 'worst', value: ({ checkWorst }) => checkWorst.toFixed(1), align: 'right' },
          { title: 'GB/s', value: ({ gigabytesPerSecond }) => gigabytesPerSecond.toFixed(1), align: 'right' },
          { title: 'event ms', value: ({ event }) => event.toFixed(1), align: 'right' },
          { title: 'worst', value: ({ eventWorst }) => eventWorst.toFixed(1), align: 'right' },
        ],
        checkTime,
      ),
    );
  }
  if (decisionRate) {
    tables.push(
      tableOf(
        {
          title: 'Decisions of one engine',
          note: 'Metadata triggers on steps of one partition. Backfill: the steps are there first; live: they are put meanwhile. A fired decision also has its event.',
        },
        [
          { title: 'steps', value: ({ steps }) => steps },
          { title: 'triggers', value: ({ triggers }) => triggers, align: 'right' },
          { title: 'verdict', value: ({ verdict }) => verdict },
          { title: 'decisions', value: ({ decisions }) => decisions, align: 'right' },
          { title: 'decisions/s', value: ({ perSecond }) => perSecond.toFixed(0), align: 'right' },
        ],
        decisionRate,
      ),
    );
  }
  if (putOverhead) {
    tables.push(
      tableOf(
        { title: 'A put with one metadata trigger on its region', note: 'A step is 8 partitions.' },
        [
          { title: 'size', value: ({ bytes }) => formatBytes(bytes), align: 'right' },
          { title: 'without p50 ms', value: ({ without }) => without.toFixed(2), align: 'right' },
          { title: 'with p50 ms', value: ({ withTrigger }) => withTrigger.toFixed(2), align: 'right' },
          { title: 'with p99 ms', value: ({ withTriggerP99 }) => withTriggerP99.toFixed(2), align: 'right' },
          { title: 'overhead', value: ({ overhead }) => percent(overhead), align: 'right' },
        ],
        putOverhead,
      ),
    );
  }
  if (putCost) {
    tables.push(
      tableOf(
        {
          title: 'Cost of a put of 1 KiB',
          note: 'By triggers on the region that is put, triggers on another region of the variable, partitions of a step with one trigger, and shards that the partition touches with one trigger.',
        },
        [
          { title: 'growing', value: ({ growing }) => growing },
          { title: 'count', value: ({ count }) => count, align: 'right' },
          { title: 'p50 ms', value: ({ p50 }) => p50.toFixed(2), align: 'right' },
          { title: 'p99 ms', value: ({ p99 }) => p99.toFixed(2), align: 'right' },
          { title: 'ratio', value: ({ ratio }) => ratio.toFixed(2), align: 'right' },
        ],
        putCost,
      ),
    );
  }
  if (kernels) tables.push(passTable(kernels), poolTable(kernels));
  return tables;
}

function percent(fraction: number): string {
  const rounded = Math.round(fraction * 100);
  return `${rounded} %`;
}

interface PassRow {
  readonly dtype: string;
  readonly passes: ReadonlyMap<string, number>;
  readonly plain: number | undefined;
  readonly copy: number | undefined;
}

/** One row a dtype, one column a pass. */
function passTable(kernels: readonly KernelBenchRow[]): Table {
  const rows = new Map<string, { passes: Map<string, number>; plain: number | undefined; copy: number | undefined }>();
  const names = new Set<string>();
  for (const kernel of kernels) {
    if (kernel.milliseconds !== undefined) continue;
    const at = kernel.name.indexOf(' ');
    const [dtype, pass] = [kernel.name.slice(0, at), kernel.name.slice(at + 1)];
    names.add(pass);
    const row = rows.get(dtype) ?? { passes: new Map(), plain: undefined, copy: undefined };
    row.passes.set(pass, kernel.gigabytesPerSecond);
    row.plain ??= kernel.plainGigabytesPerSecond;
    row.copy ??= kernel.copyGigabytesPerSecond;
    rows.set(dtype, row);
  }
  const rate = (value: number | undefined) => value?.toFixed(1) ?? '';
  const columns: Column<PassRow>[] = [
    { title: 'dtype', value: ({ dtype }) => dtype },
    ...Array.from(
      names,
      (name): Column<PassRow> => ({
        title: name,
        value: ({ passes }) => rate(passes.get(name)),
        align: 'right',
      }),
    ),
    { title: 'plain JavaScript', value: ({ plain }) => rate(plain), align: 'right' },
    { title: 'copy', value: ({ copy }) => rate(copy), align: 'right' },
  ];
  return tableOf(
    {
      title: 'Kernels',
      note: 'GB/s of one core; plain JavaScript does min/max/sum/NaN, the copy moves as many bytes.',
    },
    columns,
    Array.from(rows, ([dtype, row]) => ({ dtype, ...row })),
  );
}

function poolTable(kernels: readonly KernelBenchRow[]): Table {
  return tableOf(
    {
      title: 'Kernels by two workers',
      note: '64 partitions of 64^3 float64 (128 MiB), read from a file in the page cache.',
    },
    [
      { title: 'check', value: ({ name }) => name.slice(name.lastIndexOf(': ') + 1).trim() },
      { title: 'ms', value: ({ milliseconds = Number.NaN }) => milliseconds.toFixed(1), align: 'right' },
      { title: 'GB/s', value: ({ gigabytesPerSecond }) => gigabytesPerSecond.toFixed(1), align: 'right' },
    ],
    kernels.filter(({ milliseconds }) => milliseconds !== undefined),
  );
}
