import type { BenchCluster } from './bench-cluster.js';
import { keepCoresBusy } from './busy-cores.js';
import { watchFired } from './fired-clock.js';
import { median, quantile, timings } from './stats.js';

/** From the acknowledgement of the put that covers a step to the delivery of its event, in milliseconds. */
export interface EventLatencyRow {
  readonly cores: 'idle' | 'busy';
  /** An empty NATS request and its reply, in the same rounds. */
  readonly roundTrip: number;
  readonly p50: number;
  readonly p99: number;
  /** p50 as a multiple of the round trip. */
  readonly roundTrips: number;
}

const VARIABLE = 'bench_event';
const TIMEOUT_MS = 20_000;
const STEPS = 100;
const EDGE = 16;
const WARM_UP = 2;

/**
 * One trigger without checks on a variable whose steps are four partitions, one in each of four shards. The step is put
 * partition by partition; what counts is the last one. A step follows when the event of the one before was delivered.
 */
export async function benchEventLatency({ tide, nats }: BenchCluster, rounds: number): Promise<EventLatencyRow[]> {
  await tide.declare({ name: VARIABLE, dtype: 'uint8', shape: [EDGE, EDGE], window: 100_000 });
  await tide.triggers.register({ name: VARIABLE, on: { variable: VARIABLE } });
  const clock = watchFired(tide, VARIABLE);
  const half = EDGE / 2;
  const data = new Uint8Array(half * half);
  const boxes = [`0:${half},0:${half}`, `0:${half},${half}:${EDGE}`, `${half}:${EDGE},0:${half}`];
  const last = `${half}:${EDGE},${half}:${EDGE}`;
  let step = 0;
  const oneStep = async (): Promise<number> => {
    step++;
    for (const box of boxes) await tide.put({ variable: VARIABLE, step, box, data });
    await tide.put({ variable: VARIABLE, step, box: last, data });
    const acknowledged = performance.now();
    // The event may be here before the writer has its answer.
    return Math.max(0, (await clock.delivered(step)) - acknowledged);
  };
  const measure = async (cores: EventLatencyRow['cores']): Promise<EventLatencyRow> => {
    const trips: number[] = [];
    const latencies: number[] = [];
    for (let round = -WARM_UP; round < rounds; round++) {
      const trip = await timings(STEPS, () => nats.request('echo.put', new Uint8Array(), { timeout: TIMEOUT_MS }));
      const latency: number[] = [];
      for (let turn = 0; turn < STEPS; turn++) latency.push(await oneStep());
      await tide.delete({ variable: VARIABLE, steps: `0:${step + 1}` });
      if (round < 0) continue;
      trips.push(...trip);
      latencies.push(...latency);
    }
    const [roundTrip, p50] = [median(trips), median(latencies)];
    return { cores, roundTrip, p50, p99: quantile(latencies, 0.99), roundTrips: p50 / roundTrip };
  };
  try {
    const idle = await measure('idle');
    const release = await keepCoresBusy();
    try {
      return [idle, await measure('busy')];
    } finally {
      await release();
    }
  } finally {
    await clock.stop();
    await tide.deleteVariable(VARIABLE);
  }
}
