import { describe, expect, jest, test } from '@jest/globals';
import { silentLogger } from '@tidegate/bus';
import { Teardown } from '../teardown.js';

describe('Teardown', () => {
  test('stops in the order of the stages, once, whatever fails', async () => {
    const done: string[] = [];
    const errors: string[] = [];
    const teardown = new Teardown({ ...silentLogger, error: (_, message) => errors.push(message) });
    teardown.add('lock', () => void done.push('lock'));
    teardown.add('server', async () => void done.push('server'));
    teardown.add('raw', async () => void done.push('raw'));
    teardown.add('raw', () => {
      throw new Error('no');
    });
    teardown.add('meta', () => void done.push('meta'));
    teardown.add('engine', () => void done.push('engine'));
    await Promise.all([teardown.run(), teardown.run()]);
    expect(done).toEqual(['engine', 'raw', 'meta', 'server', 'lock']);
    expect(errors).toHaveLength(1);
  });

  test('goes on without what takes too long, by force where it can', async () => {
    jest.useFakeTimers();
    try {
      const done: string[] = [];
      const teardown = new Teardown(silentLogger);
      teardown.add(
        'server',
        () => new Promise(() => {}),
        () => done.push('forced'),
      );
      teardown.add('lock', () => void done.push('lock'));
      const running = teardown.run();
      await jest.advanceTimersByTimeAsync(10_000);
      await running;
      expect(done).toEqual(['forced', 'lock']);
    } finally {
      jest.useRealTimers();
    }
  });
});
