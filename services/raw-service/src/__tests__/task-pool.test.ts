import { describe, expect, test } from '@jest/globals';
import { silentLogger } from '@tidegate/bus';
import type { CheckTask, TransformTask } from '@tidegate/kernels';
import { UnavailableError } from '@tidegate/protocol';
import { type KernelRunner, TaskPool } from '../task-pool.js';

const check = {} as CheckTask;
const transform = {} as TransformTask;

function runner() {
  const counts = { opened: 0, stopped: 0 };
  const open = async (): Promise<KernelRunner> => {
    counts.opened++;
    return {
      check: async () => new Uint8Array([1]),
      transform: async () => undefined,
      stop: async () => void counts.stopped++,
    };
  };
  return { counts, open };
}

describe('TaskPool', () => {
  test('opens for the first task, once, and not at all without one', async () => {
    const { counts, open } = runner();
    const idle = new TaskPool(silentLogger, open);
    await idle.stop();
    expect(counts).toEqual({ opened: 0, stopped: 0 });
    const pool = new TaskPool(silentLogger, open);
    const results = await Promise.all([pool.check(check, {}), pool.check(check, {}), pool.transform(transform, {})]);
    expect(results).toEqual([new Uint8Array([1]), new Uint8Array([1]), undefined]);
    await pool.stop();
    await expect(pool.check(check, {})).rejects.toBeInstanceOf(UnavailableError);
    expect(counts).toEqual({ opened: 1, stopped: 1 });
  });

  test('one that could not be opened is tried again', async () => {
    const { open } = runner();
    let fails = true;
    const pool = new TaskPool(silentLogger, async () => {
      if (fails) throw new Error('no threads');
      return open();
    });
    await expect(pool.check(check, {})).rejects.toThrow('no workers for checks: no threads');
    fails = false;
    await expect(pool.check(check, {})).resolves.toBeInstanceOf(Uint8Array);
    await pool.stop();
  });
});
