import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DType, itemSize, typedView } from '@tidegate/array';
import type { Box } from '@tidegate/geometry';
import type { CheckDefinition } from '@tidegate/protocol';
import { CheckRun } from '../check-run.js';
import type { CheckTask } from '../check-task.js';
import { BLOCK_BYTES, KernelInstance } from '../kernel-instance.js';
import { KernelPool } from '../pool/kernel-pool.js';

/** One measurement; the figures in 1e9 bytes per second and core unless the name says otherwise. */
export interface KernelBenchRow {
  readonly name: string;
  readonly gigabytesPerSecond: number;
  /** The same in plain JavaScript, and a copy of as many bytes. */
  readonly plainGigabytesPerSecond?: number;
  readonly copyGigabytesPerSecond?: number;
  /** Wall time of one run, in milliseconds; median. */
  readonly milliseconds?: number;
}

const DTYPES: readonly DType[] = ['uint8', 'int16', 'int32', 'int64', 'float32', 'float64'];
/** Of each pass, in milliseconds; the first half warms it up. */
const PASS_MS = 60;
const PIECES = 64;
const EDGE = 64;
const ROUNDS = 15;
const CHECKS: Readonly<Record<string, CheckDefinition>> = {
  min: { reduce: 'min' },
  max: { reduce: 'max' },
  mean: { reduce: 'mean' },
  nan: { reduce: 'nan_count' },
};

/** Bytes per second of a pass over one block, in 1e9. */
function rate(pass: () => void): number {
  const begin = performance.now();
  let calls = 0;
  for (; performance.now() - begin < PASS_MS / 2; calls++) pass();
  const measured = performance.now();
  for (let i = 0; i < calls; i++) pass();
  return (calls * BLOCK_BYTES) / ((performance.now() - measured) * 1e6);
}

/** What a loop over a typed array makes of the same question. */
function plainStats(cells: ArrayLike<number | bigint>): number {
  let min = Infinity;
  let max = -Infinity;
  let sum = 0;
  let nan = 0;
  for (let i = 0; i < cells.length; i++) {
    const x = Number(cells[i]);
    if (Number.isNaN(x)) {
      nan++;
      continue;
    }
    if (x < min) min = x;
    if (x > max) max = x;
    sum += x;
  }
  return min + max + sum + nan;
}

function passRows(): KernelBenchRow[] {
  const kernels = new KernelInstance();
  const rows: KernelBenchRow[] = [];
  const other = new Uint8Array(BLOCK_BYTES);
  for (const dtype of DTYPES) {
    const session = kernels.session(dtype, 65_536);
    const count = BLOCK_BYTES / itemSize(dtype);
    const numbers = typedView(session.cells, dtype) as { [at: number]: number | bigint };
    for (let i = 0; i < count; i++) numbers[i] = dtype === 'int64' ? BigInt(i % 101) : (i * 7) % 101;
    const copyGigabytesPerSecond = rate(() => other.set(session.cells));
    const plain = typedView(session.cells.slice(), dtype) as ArrayLike<number | bigint>;
    const plainGigabytesPerSecond = rate(() => plainStats(plain));
    const passes: [string, () => void][] = [
      ['min/max/NaN', () => session.stats(count, false)],
      ['min/max/sum/NaN', () => session.stats(count, true)],
    ];
    const isFloat = dtype.startsWith('float');
    passes.push(['var', isFloat ? () => session.floatMoments(count, 50) : () => session.integerSquares(count, 0n)]);
    const range = dtype === 'int64' ? { low: 3n, high: 50n } : { low: 3, high: 50 };
    passes.push(['count', () => session.countRange(count, range)]);
    passes.push(['mask', () => session.maskRange(count, range)]);
    passes.push(['histogram', () => session.histogram(count, { lower: 0, upper: 100, bins: 64 }, 0)]);
    const shift = Math.max(0, itemSize(dtype) * 8 - 16);
    passes.push(['digits', () => session.countDigits(count, { range, shift }, 0)]);
    passes.push(['linf', () => session.difference(count, false)]);
    for (const [name, pass] of passes) {
      const row = { name: `${dtype} ${name}`, gigabytesPerSecond: rate(pass), copyGigabytesPerSecond };
      rows.push(name === 'min/max/sum/NaN' ? { ...row, plainGigabytesPerSecond } : row);
    }
  }
  return rows;
}

/** 64 pieces of 64^3 float64 in one file, checked through the pool by two workers; and the components of the same. */
async function poolRows(folder: string): Promise<KernelBenchRow[]> {
  const path = join(folder, 'pieces');
  const pieceBytes = EDGE ** 3 * 8;
  const cells = new Float64Array((PIECES * pieceBytes) / 8);
  for (let i = 0; i < cells.length; i++) cells[i] = Math.sin(i * 0.001) + Math.cos(i * 0.1);
  writeFileSync(path, cells);
  const boxes = Array.from({ length: PIECES }, (_, at): Box => {
    const lower = [at >> 4, (at >> 2) & 3, at & 3].map((n) => n * EDGE);
    return { lower, upper: lower.map((n) => n + EDGE) };
  });
  const box = { lower: [0, 0, 0], upper: [4 * EDGE, 4 * EDGE, 4 * EDGE] };
  const pool = await KernelPool.open({ minWorkers: 2, maxWorkers: 2 });
  try {
    const measure = async (name: string, checks: Readonly<Record<string, CheckDefinition>>) => {
      const times: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        const begin = performance.now();
        const run = new CheckRun({ checks, dtype: 'float64', shape: box.upper, box });
        for (let spec = run.next(); spec !== undefined; spec = run.next()) {
          const tasks = boxes.map((piece, at): CheckTask => {
            const file = { path, offset: at * pieceBytes, bytes: pieceBytes };
            return { spec: spec as CheckTask['spec'], piece, data: { box: piece, file } };
          });
          const partials = await Promise.all(tasks.map((task) => pool.check(task)));
          run.accept(partials.map((partial, at) => ({ box: boxes[at] as Box, partial })));
        }
        const { failures } = run.result();
        if (failures.size > 0) throw new Error(`the check failed: ${[...failures.values()][0]}`);
        times.push(performance.now() - begin);
      }
      const milliseconds = times.sort((a, b) => a - b)[ROUNDS >> 1] ?? Number.NaN;
      return { name, milliseconds, gigabytesPerSecond: (PIECES * pieceBytes) / (milliseconds * 1e6) };
    };
    return [
      await measure('64 pieces of 64^3 float64, 2 workers: min/max/mean/NaN', CHECKS),
      await measure('64 pieces of 64^3 float64, 2 workers: std', { std: { reduce: 'std' } }),
      await measure('64 pieces of 64^3 float64, 2 workers: components', { n: { components: { above: 0.5 } } }),
      await measure('64 pieces of 64^3 float64, 2 workers: quantile', { q: { reduce: 'quantile', q: 0.99 } }),
    ];
  } finally {
    await pool.stop();
  }
}

/** Throughput of the kernels by dtype, and the time of a check of 128 MiB through the pool. */
export async function kernelBench(options: { directory?: string } = {}): Promise<KernelBenchRow[]> {
  const folder = mkdtempSync(join(options.directory ?? tmpdir(), 'tidegate-kernels-'));
  try {
    return [...passRows(), ...(await poolRows(folder))];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
