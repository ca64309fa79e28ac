import type { Tidegate } from '@tidegate/client';

/** When the events of one trigger were delivered, by their step. */
export interface FiredClock {
  /** Waits for the event of a step. @returns `performance.now()` at its delivery */
  delivered(step: number): Promise<number>;
  stop(): Promise<void>;
}

/** Reads the events of a trigger, through the SDK. */
export function watchFired(tide: Pick<Tidegate, 'events'>, trigger: string): FiredClock {
  const stopping = new AbortController();
  const times = new Map<number, number>();
  const waiting = new Map<number, (time: number) => void>();
  const reading = (async () => {
    for await (const { data } of tide.events({ trigger, from: 'all', signal: stopping.signal })) {
      const time = performance.now();
      const wake = waiting.get(data.step);
      waiting.delete(data.step);
      if (wake) wake(time);
      else times.set(data.step, time);
    }
  })().catch((error: unknown) => {
    if (!stopping.signal.aborted) throw error;
  });
  return {
    delivered(step) {
      const time = times.get(step);
      times.delete(step);
      if (time !== undefined) return Promise.resolve(time);
      return Promise.race([
        new Promise<number>((resolve) => waiting.set(step, resolve)),
        reading.then(() => {
          throw new Error(`the events of ${trigger} ended before that of step ${step}`);
        }),
      ]);
    },
    async stop() {
      stopping.abort();
      await reading;
    },
  };
}
