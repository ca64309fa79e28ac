import type { Tidegate } from '@tidegate/client';

/** Watches the memory tier until it is stopped. */
export interface MemoryWatch {
  /** Most bytes seen beyond those at the start. */
  peakBytes(): number;
  stop(): void;
}

const INTERVAL_MS = 200;

/** Asks the raw-services a few times a second what their memory tier holds. */
export async function watchMemory(tide: Tidegate): Promise<MemoryWatch> {
  const used = async () => {
    const { services } = await tide.storage();
    return services.reduce((sum, { memory }) => sum + memory.usedBytes, 0);
  };
  const before = await used();
  let peak = before;
  let asking = false;
  const timer = setInterval(() => {
    if (asking) return;
    asking = true;
    used()
      .then((bytes) => {
        peak = Math.max(peak, bytes);
      })
      // A figure less; whatever ails the service shows in the work itself.
      .catch(() => {})
      .finally(() => {
        asking = false;
      });
  }, INTERVAL_MS);
  return { peakBytes: () => peak - before, stop: () => clearInterval(timer) };
}
