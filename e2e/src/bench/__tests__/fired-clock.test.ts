import { expect, test } from '@jest/globals';
import type { EventsOptions, FiredEvent } from '@tidegate/client';
import { watchFired } from '../fired-clock.js';

/** Events that come when they are told to. */
function stagedEvents() {
  const asked: EventsOptions[] = [];
  const queued: number[] = [];
  let wake = (): void => {};
  return {
    asked,
    fire(step: number) {
      queued.push(step);
      wake();
    },
    async *events(options: EventsOptions = {}): AsyncGenerator<FiredEvent, void, undefined> {
      asked.push(options);
      const { signal } = options;
      signal?.addEventListener('abort', () => wake());
      while (signal?.aborted !== true) {
        const step = queued.shift();
        if (step !== undefined) yield { data: { step } } as FiredEvent;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}

test('tells when the event of a step came, whether it is asked for before or after', async () => {
  const source = stagedEvents();
  const clock = watchFired(source, 'hot');
  expect(source.asked[0]?.trigger).toBe('hot');
  const second = clock.delivered(2);
  const begin = performance.now();
  source.fire(1);
  source.fire(2);
  const [at1, at2] = [await clock.delivered(1), await second];
  expect(at1).toBeGreaterThanOrEqual(begin);
  expect(at2).toBeGreaterThanOrEqual(at1);
  expect(at2).toBeLessThanOrEqual(performance.now());
  await clock.stop();
});

test('a step whose event cannot come any more is an error', async () => {
  const clock = watchFired({ async *events() {} }, 'hot');
  await expect(clock.delivered(1)).rejects.toThrow(/ended before that of step 1/);
  await clock.stop();
});
