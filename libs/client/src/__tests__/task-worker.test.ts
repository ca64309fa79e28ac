import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { publishEvent } from '@tidegate/bus';
import { taskSubject } from '@tidegate/protocol';
import { until } from '@tidegate/testing';
import { type TaskHandler, type TaskOutcome, type WorkOptions, work } from '../task-worker.js';
import { type BusFixture, busFixture, eventBody } from './bus-fixture.js';

let fixture: BusFixture;
beforeAll(async () => {
  fixture = await busFixture();
});
afterAll(() => fixture.stop());

async function ask(name: string, ...numbers: readonly number[]): Promise<void> {
  for (const n of numbers) {
    const body = { ...eventBody(), args: { n }, attempt: 1, idempotencyKey: `key-${n}` };
    await publishEvent(fixture.bus, taskSubject(name), body);
  }
}

function working(name: string, handler: TaskHandler, options: WorkOptions = {}) {
  const stop = new AbortController();
  const outcomes: TaskOutcome[] = [];
  const done = work(fixture.bus, name, handler, {
    signal: stop.signal,
    onOutcome: (outcome) => outcomes.push(outcome),
    ...options,
  });
  return { outcomes, done, stop: () => stop.abort() };
}

const untilAborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

describe('a worker', () => {
  it('does several tasks at a time and no more', async () => {
    await ask('several', 0, 1, 2, 3, 4, 5);
    let running = 0;
    let most = 0;
    let release: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const worker = working(
      'several',
      async () => {
        most = Math.max(most, ++running);
        if (running === 3) release();
        await gate;
        running--;
      },
      { concurrency: 3 },
    );
    await until(() => worker.outcomes.length === 6);
    worker.stop();
    await worker.done;
    expect(most).toBe(3);
    expect(worker.outcomes.map(({ task }) => task.args['n']).sort()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(worker.outcomes.every(({ error }) => error === undefined)).toBe(true);
  });

  it('lets a task come again that its handler failed at', async () => {
    await ask('fails', 1);
    const worker = working('fails', ({ attempt }) => {
      if (attempt === 1) throw new Error('not yet');
    });
    await until(() => worker.outcomes.length === 2);
    worker.stop();
    await worker.done;
    expect(worker.outcomes.map(({ task, error }) => [task.attempt, String(error)])).toEqual([
      [1, 'Error: not yet'],
      [2, 'undefined'],
    ]);
  });

  it('ends a task that takes too long', async () => {
    await ask('slow', 1);
    const worker = working('slow', ({ attempt }, signal) => (attempt === 1 ? untilAborted(signal) : undefined), {
      timeoutMs: 100,
    });
    await until(() => worker.outcomes.length === 2);
    worker.stop();
    await worker.done;
    expect(String(worker.outcomes[0]?.error)).toMatch(/was not done within 100 ms/);
    expect(worker.outcomes[1]?.error).toBeUndefined();
  });

  it('lets what is under way end when it is told to, and takes no more', async () => {
    await ask('ending', 1, 2);
    let finish: () => void = () => {};
    const started = new Promise<void>((resolve) => {
      finish = resolve;
    });
    let end: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      end = resolve;
    });
    const worker = working('ending', async () => {
      finish();
      await gate;
    });
    await started;
    worker.stop();
    end();
    await worker.done;
    expect(worker.outcomes.map(({ task, error }) => [task.args['n'], error])).toEqual([[1, undefined]]);
    const other = working('ending', () => {});
    await until(() => other.outcomes.length === 1);
    other.stop();
    await other.done;
    expect(other.outcomes[0]?.task.args).toEqual({ n: 2 });
  });

  it('gives back at once what has not ended in its grace time', async () => {
    await ask('grace', 1);
    let started = false;
    const worker = working(
      'grace',
      (_, signal) => {
        started = true;
        return untilAborted(signal);
      },
      { graceMs: 50 },
    );
    await until(() => started);
    worker.stop();
    await worker.done;
    expect(worker.outcomes.map(({ error }) => String(error))).toEqual(['Error: the worker is ending']);
    const start = performance.now();
    const other = working('grace', () => {});
    await until(() => other.outcomes.length === 1);
    expect(performance.now() - start).toBeLessThan(900);
    other.stop();
    await other.done;
    expect(other.outcomes[0]?.task.attempt).toBe(2);
  });

  it('ends at once where its signal has aborted already', async () => {
    await work(fixture.bus, 'never', () => {}, { signal: AbortSignal.abort() });
  });
});
