/**
 * `make bench`: every figure of the README in one run, as ratios to a named reference measured beside it. Prints tables
 * and writes `e2e/bench/results.json`. Options: `--quick` (fewer rounds), `--only staging,index,…`.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { benchStridedCopy } from '@tidegate/array/bench';
import { connect } from '@tidegate/client';
import { benchBoxIndex, localityTable } from '@tidegate/geometry/bench';
import { benchSpill } from '@tidegate/raw-service/bench';
import { freePort, type RunningProcess, spawnProcess, startNatsServer } from '@tidegate/testing';
import { Redis } from 'ioredis';
import { connect as connectNats } from 'nats';
import { ALLOWANCE_BYTES, folderBytes, type MemoryRow, residentBytes, stage } from './memory.js';
import { memoryTable, plainTable, smallPutTable, stagingTable } from './report.js';
import { benchSmallPut, benchStaging } from './staging.js';

const SECTIONS = ['staging', 'index', 'copy', 'spill', 'memory'] as const;
const TIDEGATE = fileURLToPath(new URL('../../../services/tidegate/bin/tidegate.js', import.meta.url));
const RESULTS = fileURLToPath(new URL('../../bench/results.json', import.meta.url));

const { values: options } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, only: { type: 'string', default: SECTIONS.join(',') } },
});
const only = options.only.split(',');
const results: Record<string, unknown> = {
  date: new Date().toISOString(),
  machine: { cpu: cpus()[0]?.model, cores: cpus().length, memoryGiB: Math.round(totalmem() / 2 ** 30) },
  versions: { node: process.version },
};

function section(title: string, note: string, lines: readonly string[]): void {
  console.log(`\n${title}\n${note}\n\n${lines.map((line) => `  ${line}`).join('\n')}`);
}

/** A redis-server of its own where one is on PATH. */
async function startRedis(): Promise<{ readonly client: Redis; stop(): Promise<void> } | undefined> {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'ignore' });
  } catch {
    console.log('no redis-server on PATH: its columns are left out');
    return undefined;
  }
  const port = await freePort();
  const server = await spawnProcess({
    command: 'redis-server',
    args: ['--port', String(port), '--save', '', '--appendonly', 'no', '--bind', '127.0.0.1'],
    readyLine: /Ready to accept connections/,
  });
  const client = new Redis(port, '127.0.0.1');
  return {
    client,
    async stop() {
      client.disconnect();
      server.kill('SIGTERM');
      await server.waitExit();
    },
  };
}

function tidegate(args: readonly string[]): Promise<RunningProcess> {
  return spawnProcess({ command: process.execPath, args: [TIDEGATE, ...args], readyLine: /^ready / });
}

async function staging(folder: string): Promise<void> {
  const server = await startNatsServer({ maxPayload: 64 << 20 });
  const reference = await spawnProcess({
    command: process.execPath,
    args: [fileURLToPath(new URL('./nats-reference.js', import.meta.url)), server.url],
    readyLine: /^ready$/,
  });
  const up = await tidegate([
    'up',
    '--nats',
    server.url,
    '--data-dir',
    join(folder, 'staging'),
    '--memory-dir',
    join('/dev/shm', `tidegate-bench-${process.pid}`),
    '--memory',
    '2GiB',
  ]);
  const redis = await startRedis();
  const nats = await connectNats({ servers: server.url, noAsyncTraces: true });
  const tide = await connect({ servers: server.url });
  const rounds = options.quick ? 2 : 7;
  try {
    const subjects = { tide, nats, ...(redis && { redis: redis.client }) };
    const rows = await benchStaging(subjects, [64 << 10, 1 << 20, 4 << 20, 16 << 20], rounds);
    section(
      'Put and get through the SDK',
      'Against request/reply of the same bytes between two Node processes; higher is better, 1.0 is the reference.',
      stagingTable(rows),
    );
    const small = [await benchSmallPut(subjects, 1024, rounds)];
    section('Small puts', 'Acknowledged: stored and indexed.', smallPutTable(small));
    results['staging'] = rows;
    results['smallPut'] = small;
    results['versions'] = { ...(results['versions'] as object), nats: nats.info?.version };
  } finally {
    await tide.close();
    await nats.close();
    await redis?.stop();
    for (const child of [up, reference]) {
      child.kill('SIGTERM');
      await child.waitExit();
    }
    await server.stop();
    rmSync(join('/dev/shm', `tidegate-bench-${process.pid}`), { recursive: true, force: true });
  }
}

async function memory(folder: string): Promise<void> {
  const server = await startNatsServer({ maxPayload: 8 << 20 });
  const shm = join('/dev/shm', `tidegate-bench-${process.pid}`);
  const raw = await tidegate([
    'run',
    'raw',
    '--nats',
    server.url,
    '--data-dir',
    join(folder, 'memory'),
    '--memory-dir',
    shm,
    '--memory',
    '1GiB',
  ]);
  const meta = await tidegate(['run', 'meta', '--nats', server.url]);
  const tide = await connect({ servers: server.url });
  try {
    const stagedBytes = 768 << 20;
    await stage(tide, stagedBytes, 1 << 20);
    const row = (service: string, pid: number, segmentBytes: number): MemoryRow => {
      const resident = residentBytes(pid);
      return {
        service,
        stagedBytes,
        residentBytes: resident,
        segmentBytes,
        perStagedByte:
          (segmentBytes > 0
            ? stagedBytes + Math.max(0, resident - ALLOWANCE_BYTES)
            : Math.max(0, resident - ALLOWANCE_BYTES)) / stagedBytes,
      };
    };
    const rows = [row('raw-service', raw.pid, folderBytes(shm)), row('meta-service', meta.pid, 0)];
    section(
      'Memory',
      'What a service holds for what is staged. Segments are a fixed budget, allocated once.',
      memoryTable(rows),
    );
    results['memory'] = rows;
  } finally {
    await tide.close();
    for (const child of [raw, meta]) {
      child.kill('SIGTERM');
      await child.waitExit();
    }
    await server.stop();
    rmSync(shm, { recursive: true, force: true });
  }
}

const folder = mkdtempSync(join(tmpdir(), 'tidegate-bench-'));
try {
  if (only.includes('staging')) await staging(folder);
  if (only.includes('index')) {
    const rows = benchBoxIndex([1e3, 1e4, 1e5]);
    section(
      'Box index',
      'Insert and query of 0.1 % of the volume, by partitions a step.',
      plainTable(rows.map((row) => ({ ...row }))),
    );
    const locality = localityTable();
    section(
      'Locality',
      'Shards that a random box of 1/64 of the volume touches: Hilbert curve against row-major runs.',
      plainTable(locality.map((row) => ({ ...row }))),
    );
    results['boxIndex'] = rows;
    results['locality'] = locality;
  }
  if (only.includes('copy')) {
    const rows = benchStridedCopy({ now: () => performance.now(), milliseconds: options.quick ? 50 : 200 });
    section('Strided copies', 'Against a plain set of the same bytes.', plainTable(rows.map((row) => ({ ...row }))));
    results['stridedCopy'] = rows;
  }
  if (only.includes('spill')) {
    const rows = await benchSpill(folder);
    section(
      'Disk tier',
      'Spill and read back, against plain files written and synced, and read.',
      plainTable(rows.map((row) => ({ ...row }))),
    );
    results['spill'] = rows;
  }
  if (only.includes('memory')) await memory(folder);
  mkdirSync(fileURLToPath(new URL('../../bench/', import.meta.url)), { recursive: true });
  writeFileSync(RESULTS, `${JSON.stringify(results, null, 2)}\n`);
  console.log('\nwritten to e2e/bench/results.json');
} finally {
  rmSync(folder, { recursive: true, force: true });
}
