import { type Bus, ensureConsumer } from '@tidegate/bus';
import { taskConsumer } from '@tidegate/client';

/** How long a consumer that was seen is taken to stand: somebody may delete it. */
const TRUST_MS = 60_000;
const NAMES = 4096;
const seen = new WeakMap<Bus, Map<string, number>>();

/** Creates the consumer of a task where it is missing. @throws as `ensureConsumer` */
export async function ensureTaskConsumer(bus: Bus, name: string, now: () => number = Date.now): Promise<void> {
  const known = seen.get(bus) ?? new Map<string, number>();
  seen.set(bus, known);
  if (now() - (known.get(name) ?? -Infinity) < TRUST_MS) return;
  await ensureConsumer(bus, taskConsumer(name));
  if (known.size >= NAMES) known.clear();
  known.set(name, now());
}
