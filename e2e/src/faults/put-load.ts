import { setTimeout as pause } from 'node:timers/promises';
import { connect, type PutReply, type Tidegate } from '@tidegate/client';
import { until } from '@tidegate/testing';
import { differenceOf, patternBytes } from '../tests/cells.js';

const SHAPE = [64, 64];
const QUARTERS = ['0:32,0:32', '0:32,32:64', '32:64,0:32', '32:64,32:64'] as const;
const WRITERS = QUARTERS.length;
const PART_BYTES = 32 * 32 * 4;
/** Between two puts of a writer: many puts are under way whenever something is killed, and the load stays bounded. */
const PACE_MS = 10;

interface Acknowledged {
  readonly step: number;
  readonly writer: number;
  /** Of the data. */
  readonly seed: number;
  readonly reply: PutReply;
}

/** Four writers, each with a connection of its own, and one reader that follows them. */
export interface PutLoad {
  /** Returns once every writer has so many more puts acknowledged, or throws what failed. */
  progress(puts: number, timeoutMs?: number): Promise<void>;
  /** Lets every writer finish its put. @returns how many were acknowledged */
  finish(): Promise<number>;
  /**
   * Checks every acknowledged put through a fresh connection, deletes the variables, and checks that this freed all
   * the room: nothing lies anywhere twice or half. Call after `finish`; nothing else may be staged.
   */
  verify(): Promise<void>;
}

/** Runs a test under the load, which has ended when this returns, also where the test failed. */
export async function underLoad(url: string, name: string, test: (load: PutLoad) => Promise<void>): Promise<void> {
  const { load, end } = await startPutLoad(url, name);
  try {
    await test(load);
  } finally {
    await end();
  }
}

function expectEqual(actual: unknown, expected: unknown, what: string): void {
  if (JSON.stringify(actual) !== JSON.stringify(expected)) {
    throw new Error(`${what}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`);
  }
}

/**
 * Starts the load on a variable of its own. Each writer puts its quarter of step after step, and every step also its
 * quarter of step 0 of the variable `<name>-over`, where each put hides the one before.
 */
async function startPutLoad(url: string, name: string): Promise<{ load: PutLoad; end: () => Promise<void> }> {
  const over = `${name}-over`;
  const clients = await Promise.all(Array.from({ length: WRITERS + 1 }, () => connect({ servers: url })));
  const [first] = clients;
  await first?.declare({ name, dtype: 'float32', shape: SHAPE, window: 10 });
  await first?.declare({ name: over, dtype: 'float32', shape: SHAPE, window: 10 });
  const acknowledged: Acknowledged[] = [];
  const counts = new Array<number>(WRITERS).fill(0);
  const lastOver = new Array<number>(WRITERS).fill(0);
  const reading = new AbortController();
  const writing = new AbortController();
  const { signal } = writing;
  let running = true;
  let failure: unknown;
  let read = 0;

  const write = async (client: Tidegate, writer: number): Promise<void> => {
    const box = QUARTERS[writer] ?? '';
    for (let step = 0; running; step++) {
      const seed = step * WRITERS + writer + 1;
      const data = patternBytes(PART_BYTES, seed);
      const reply = await client.put({ variable: name, step, box, data, signal });
      acknowledged.push({ step, writer, seed, reply });
      await client.put({ variable: over, step: 0, box, data, signal });
      lastOver[writer] = seed;
      counts[writer] = (counts[writer] ?? 0) + 1;
      await pause(PACE_MS);
    }
  };
  const follow = async (client: Tidegate): Promise<void> => {
    try {
      for (let step = 0; ; step++) {
        const { bytes } = await client.get({ variable: name, step, waitMs: 60_000, signal: reading.signal });
        checkStep(bytes, step);
        read++;
      }
    } catch (error) {
      if (!reading.signal.aborted) throw error;
    }
  };
  const ended = Promise.all([
    ...clients.slice(0, WRITERS).map((client, writer) => write(client, writer)),
    ...clients.slice(WRITERS).map(follow),
  ]).catch((error: unknown) => {
    running = false;
    failure = error;
  });

  const end = async (): Promise<void> => {
    running = false;
    for (const ending of [reading, writing]) ending.abort(new Error('the load ends'));
    await ended;
    // Where the test failed its variables are still there, and the next test wants to see no room in use.
    const names = (await first?.variables())?.map((variable) => variable.name) ?? [];
    for (const left of names.filter((known) => known === name || known === over)) await first?.deleteVariable(left);
    await Promise.all(clients.map((client) => client.close()));
  };
  const load: PutLoad = {
    async progress(puts, timeoutMs = 20_000) {
      const before = counts.join(' ');
      const goals = counts.map((count) => count + puts);
      await until(() => failure !== undefined || goals.every((goal, writer) => (counts[writer] ?? 0) >= goal), {
        timeoutMs,
      }).catch((cause: unknown) => {
        throw new Error(`expected ${puts} more puts than ${before} in ${timeoutMs} ms, got ${counts.join(' ')}`, {
          cause,
        });
      });
      if (failure !== undefined) throw failure;
    },
    async finish() {
      running = false;
      const steps = Math.min(...counts);
      await until(() => failure !== undefined || read >= steps, { what: `the reader to read ${steps} steps` });
      reading.abort(new Error('the load ends'));
      await ended;
      if (failure !== undefined) throw failure;
      return acknowledged.length;
    },
    async verify() {
      const tidegate = await connect({ servers: url });
      try {
        await verifySteps(tidegate, name, acknowledged);
        const { bytes } = await tidegate.get({ variable: over, step: 0 });
        for (let writer = 0; writer < WRITERS; writer++) {
          const wrong = differenceOf(quarterOf(bytes, writer), patternBytes(PART_BYTES, lastOver[writer] ?? 0));
          expectEqual(wrong, undefined, `the newest data of writer ${writer} in ${over}`);
        }
        for (const variable of [name, over]) await tidegate.deleteVariable(variable);
        await until(
          async () => {
            const { services } = await tidegate.storage();
            return services.every(({ memory, disk }) => memory.usedBytes === 0 && disk.usedBytes === 0);
          },
          { what: 'the room of everything that was put to be free' },
        );
      } finally {
        await tidegate.close();
      }
    },
  };
  return { load, end };
}

/** Bytes of a quarter of the whole domain. */
function quarterOf(bytes: Uint8Array, writer: number): Uint8Array {
  const part = new Uint8Array(PART_BYTES);
  const top = writer < 2 ? 0 : 32;
  const left = writer % 2 === 0 ? 0 : 32;
  for (let row = 0; row < 32; row++) {
    const from = ((top + row) * 64 + left) * 4;
    part.set(bytes.subarray(from, from + 32 * 4), row * 32 * 4);
  }
  return part;
}

function checkStep(bytes: Uint8Array, step: number): void {
  for (let writer = 0; writer < WRITERS; writer++) {
    const wrong = differenceOf(quarterOf(bytes, writer), patternBytes(PART_BYTES, step * WRITERS + writer + 1));
    expectEqual(wrong, undefined, `data of writer ${writer} at step ${step}`);
  }
}

/** Every acknowledged put is readable and equal, and stands once. */
async function verifySteps(tidegate: Tidegate, name: string, acknowledged: readonly Acknowledged[]): Promise<void> {
  const byStep = new Map<number, Acknowledged[]>();
  for (const put of acknowledged) byStep.set(put.step, [...(byStep.get(put.step) ?? []), put]);
  const listed = await tidegate.listSteps({ variable: name });
  expectEqual(
    listed.map(({ step, partitions, bytes }) => [step, partitions, bytes]),
    [...byStep].sort(([a], [b]) => a - b).map(([step, puts]) => [step, puts.length, puts.length * PART_BYTES]),
    'partitions of each step',
  );
  for (const [step, puts] of byStep) {
    const { pieces } = await tidegate.query({ variable: name, step });
    const ids = puts.map(({ reply }) => reply.id).sort();
    expectEqual(pieces.map(({ id }) => id).sort(), ids, `ids of step ${step}`);
    for (const { writer, seed } of puts) {
      const { bytes } = await tidegate.get({ variable: name, step, box: QUARTERS[writer] ?? '' });
      expectEqual(
        differenceOf(bytes, patternBytes(PART_BYTES, seed)),
        undefined,
        `data of writer ${writer} at step ${step}`,
      );
    }
  }
}
