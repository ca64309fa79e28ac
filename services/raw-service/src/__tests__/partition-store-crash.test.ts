import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from '@jest/globals';
import { seededRandom } from '@tidegate/testing';
import { sampleBytes } from './partition-samples.js';
import { CHILD_POLICIES, openChildStore } from './store-child.js';

const CHILD = join(import.meta.dirname, 'store-child.js');
const ROUNDS = 20;
const STEPS_A_ROUND = 1_000_000;

/** What a client knows of each partition, from what the child told before it was killed. */
class Ledger {
  readonly put = new Map<string, { readonly variable: string; readonly step: number }>();
  readonly removing = new Set<string>();
  readonly removed = new Set<string>();
  readonly steps = new Map<string, Set<number>>();

  note(line: string): void {
    const [word = '', id = '', variable = '', step = ''] = line.split(' ');
    if (word === 'begin') {
      const steps = this.steps.get(variable) ?? new Set();
      this.steps.set(variable, steps.add(Number(step)));
    } else if (word === 'put') {
      this.put.set(id, { variable, step: Number(step) });
    } else if (word === 'remove') {
      this.removing.add(id);
    } else if (word === 'removed') {
      this.removed.add(id);
    }
  }

  /** Whether the window's policy may have dropped it. */
  mayBeDropped({ variable, step }: { variable: string; step: number }): boolean {
    const { window = 0, onEvict } = CHILD_POLICIES[variable] ?? {};
    const newest = [...(this.steps.get(variable) ?? [])].sort((a, b) => b - a).slice(0, window);
    return onEvict === 'drop' && !newest.includes(step);
  }
}

/** Runs the child until it has told so many lines, and kills it there. */
async function runUntilKilled(root: string, seed: number, firstStep: number, lines: number, ledger: Ledger) {
  const child = spawn(process.execPath, [CHILD, root, 'work', String(seed), String(firstStep)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let failure = '';
  child.stderr.on('data', (chunk: Buffer) => {
    failure += chunk.toString();
  });
  let told = 0;
  createInterface({ input: child.stdout }).on('line', (line) => {
    ledger.note(line);
    if (++told === lines) child.kill('SIGKILL');
  });
  const [code, signal] = await once(child, 'close');
  if (signal !== 'SIGKILL') throw new Error(`expected the child to be killed, got exit ${code}: ${failure}`);
}

test('what was acknowledged before a SIGKILL is there after it, whole, and what was removed is not', async () => {
  const root = await mkdtemp(join(tmpdir(), 'store-crash-'));
  const random = seededRandom(20261124);
  const ledger = new Ledger();
  let spilled = 0;
  for (let round = 0; round < ROUNDS; round++) {
    await runUntilKilled(root, random.int(0, 2 ** 31), round * STEPS_A_ROUND, random.int(1, 160), ledger);
    const store = await openChildStore(root);
    const ids = new Set<string>();
    for (const { record, tier } of store.records()) {
      expect(ids.has(record.id)).toBe(false);
      ids.add(record.id);
      if (tier === 'disk') spilled++;
      const bytes = await store.readBytes(record.id, 0, record.bytes);
      expect(Buffer.compare(bytes, sampleBytes(record.id, record.bytes))).toBe(0);
    }
    for (const [id, place] of ledger.put) {
      if (ledger.removed.has(id)) expect(ids.has(id)).toBe(false);
      else if (!ledger.removing.has(id) && !ledger.mayBeDropped(place)) expect(ids.has(id)).toBe(true);
    }
    const { memory, disk } = store.use();
    expect(memory.usedBytes).toBeLessThanOrEqual(0.95 * memory.limitBytes);
    expect(disk.usedBytes).toBeLessThan(disk.limitBytes);
    await store.close();
    const variables = await readdir(join(root, 'data'));
    expect(variables).not.toContain('.quarantine');
  }
  expect(ledger.put.size).toBeGreaterThan(250);
  expect(spilled).toBeGreaterThan(ROUNDS);
  await rm(root, { recursive: true });
}, 120_000);
