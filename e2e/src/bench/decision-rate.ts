import { decisionSubject, HEADERS } from '@tidegate/protocol';
import type { BenchCluster } from './bench-cluster.js';
import { median } from './stats.js';

/** Decisions of one engine in a second; a fired one also has an event. */
export interface DecisionRateRow {
  /** `backfill`: the steps are there when the triggers are registered; `live`: they are put meanwhile. */
  readonly steps: 'backfill' | 'live';
  readonly triggers: number;
  readonly verdict: 'quiet' | 'fired';
  readonly decisions: number;
  readonly perSecond: number;
}

export interface DecisionRateCase {
  readonly steps: DecisionRateRow['steps'];
  readonly triggers: number;
  readonly verdict: DecisionRateRow['verdict'];
}

export const DECISION_RATE_CASES: readonly DecisionRateCase[] = [
  { steps: 'backfill', triggers: 1, verdict: 'quiet' },
  { steps: 'backfill', triggers: 16, verdict: 'quiet' },
  { steps: 'backfill', triggers: 16, verdict: 'fired' },
  { steps: 'live', triggers: 16, verdict: 'quiet' },
  { steps: 'live', triggers: 16, verdict: 'fired' },
];

const VARIABLE = 'bench_rate';
/** Puts that are under way at a time. */
const WRITERS = 16;
const TIMEOUT_MS = 120_000;

/** Triggers without checks on steps of one partition; the cases one after the other, round by round; medians. */
export async function benchDecisionRate(
  cluster: BenchCluster,
  { rounds, decisions }: { readonly rounds: number; readonly decisions: number },
): Promise<DecisionRateRow[]> {
  const taken = DECISION_RATE_CASES.map(() => [] as number[]);
  for (let round = -1; round < rounds; round++) {
    for (const [at, each] of DECISION_RATE_CASES.entries()) {
      const steps = Math.ceil(decisions / each.triggers);
      const rate = await oneRound(cluster, each, steps);
      if (round >= 0) taken[at]?.push(rate);
    }
  }
  return DECISION_RATE_CASES.map((each, at) => ({
    ...each,
    decisions: Math.ceil(decisions / each.triggers) * each.triggers,
    perSecond: median(taken[at] ?? []),
  }));
}

async function oneRound(
  { tide, nats }: BenchCluster,
  { steps: when, triggers, verdict }: DecisionRateCase,
  steps: number,
): Promise<number> {
  await tide.declare({ name: VARIABLE, dtype: 'uint8', shape: [64], window: 100_000 });
  const condition = verdict === 'fired' ? 'step >= 0' : 'step < 0';
  const names = Array.from({ length: triggers }, (_, at) => `${VARIABLE}_${at}`);
  const register = () =>
    Promise.all(
      names.map((name) => tide.triggers.register({ name, on: { variable: VARIABLE }, compare: { condition } })),
    );
  const data = new Uint8Array(64);
  const stage = async (): Promise<void> => {
    let next = 0;
    const writer = async (): Promise<void> => {
      for (let step = next++; step < steps; step = next++) await tide.put({ variable: VARIABLE, step, data });
    };
    await Promise.all(Array.from({ length: WRITERS }, writer));
  };
  // The server hands every stored decision to plain subscribers as well.
  const counted = countDecisions(nats, steps * triggers);
  await nats.flush();
  try {
    if (when === 'live') {
      await register();
      await stage();
    } else {
      await stage();
      await register();
    }
    const { first, last } = await counted.done;
    return ((steps * triggers - 1) * 1000) / (last - first);
  } finally {
    counted.stop();
    await Promise.all(names.map((name) => tide.triggers.delete(name)));
    await tide.deleteVariable(VARIABLE);
  }
}

interface Counted {
  readonly done: Promise<{ readonly first: number; readonly last: number }>;
  stop(): void;
}

/** When the first and the last of so many decisions were stored, in milliseconds. */
function countDecisions(nats: BenchCluster['nats'], wanted: number): Counted {
  const subject = decisionSubject({ root: '*', generation: '*', run: '*', trigger: '*' });
  let first = 0;
  let count = 0;
  const { promise, resolve, reject } = Promise.withResolvers<{ first: number; last: number }>();
  promise.catch(() => {});
  const timer = setTimeout(() => reject(new Error(`only ${count} of ${wanted} decisions were made`)), TIMEOUT_MS);
  const subscription = nats.subscribe(subject, {
    callback: (error, message) => {
      if (error || message.headers?.has(HEADERS.step) !== true) return;
      const now = performance.now();
      if (count++ === 0) first = now;
      if (count === wanted) resolve({ first, last: now });
    },
  });
  return {
    done: promise,
    stop() {
      clearTimeout(timer);
      subscription.unsubscribe();
    },
  };
}
