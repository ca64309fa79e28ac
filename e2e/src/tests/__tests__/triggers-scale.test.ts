import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Tidegate } from '@tidegate/client';
import type { DecisionReply, TriggerDefinitionInput } from '@tidegate/protocol';
import { until } from '@tidegate/testing';
import { type Cluster, startCluster } from '../cluster.js';
import { alarmSeries } from '../trigger-alarm.js';
import { wanderingField } from '../trigger-field.js';
import { allDecisions, eventsOf } from '../trigger-log.js';
import { writeField } from '../trigger-writers.js';

/** The promise is for 10,000 steps: `TIDEGATE_SCALE_STEPS=10000 node scripts/run-tests.js e2e` shows that it holds. */
const STEPS = Number(process.env['TIDEGATE_SCALE_STEPS'] ?? 400);
const SHAPE = [64, 64];
const SEED = 2026;
const PUTTING_MS = 60_000 + STEPS * 400;
const RULES = { for: 2, keepFiringFor: 1, cooldown: 1, edge: 'level' } as const;

const DEFINITION: TriggerDefinitionInput = {
  name: 'alarm',
  on: { variable: 'field' },
  check: {
    mx: { reduce: 'max' },
    mn: { reduce: 'min' },
    n: { reduce: 'count', above: 150 },
    total: { reduce: 'sum' },
  },
  compare: { condition: 'mx > 200.0 && mn < 2.0', recovery: 'mx < 180.0', ...RULES },
  action: [
    { trigger: { name: 'many', check: { n: { reduce: 'count', above: 150 } }, compare: { condition: 'n > 1200' } } },
  ],
};

let cluster: Cluster;
let sdk: Tidegate;

beforeAll(async () => {
  cluster = await startCluster({ raw: 2, meta: 2, shards: 16 });
  sdk = await cluster.sdk();
}, 60_000);
afterAll(() => cluster?.stop());

function told({ step, verdict, state, late, indicator, values }: DecisionReply): object {
  return { step, verdict, state, late, indicator, values };
}

test(
  `${STEPS} steps of 64 partitions by 8 writers: one decision a step and the events of a serial reference`,
  async () => {
    // Dropped, not spilled: a step that left its window undecided would never be decided.
    await sdk.declare({ name: 'field', dtype: 'uint8', shape: SHAPE, window: 12, onEvict: 'drop' });
    await sdk.triggers.register(DEFINITION);
    await writeField({
      url: cluster.url,
      variable: 'field',
      shape: SHAPE,
      grid: [8, 8],
      seed: SEED,
      steps: STEPS,
      writers: 8,
      processes: 2,
      inFlight: 8,
      ahead: 6,
    });
    await until(
      async () => (await sdk.triggers.decisionsPage({ name: 'alarm', from: STEPS - 1 })).decisions.length > 0,
      {
        what: 'the decision on the last step',
        timeoutMs: PUTTING_MS,
      },
    );
    const field = wanderingField(SHAPE, SEED);
    const values = Array.from({ length: STEPS }, (_, step) => {
      const cells = field.whole(step);
      let [mx, mn, n, total] = [0, 255, 0, 0];
      for (const cell of cells) {
        if (cell > mx) mx = cell;
        if (cell < mn) mn = cell;
        if (cell > 150) n++;
        total += cell;
      }
      return { mx, mn, n, total };
    });
    const outcomes = alarmSeries(
      RULES,
      values.map(({ mx, mn }) => ({ holds: mx > 200 && mn < 2, recovers: mx < 180 })),
    );
    const expected = outcomes.map((outcome, step) => {
      const at = values[step];
      return {
        step,
        ...outcome,
        late: false,
        indicator: at !== undefined && at.mx > 200 && at.mn < 2,
        values: at,
      };
    });
    const decisions = await allDecisions(sdk, 'alarm');
    expect(decisions.map(told)).toEqual(expected);
    const fired = expected.flatMap(({ verdict, step }) => (verdict === 'fired' ? [step] : []));
    expect(fired.length).toBeGreaterThan(STEPS / 20);
    expect(fired.length).toBeLessThan(STEPS / 2);
    expect((await eventsOf(cluster.url, 'alarm', fired.length)).map(({ data: { step } }) => step)).toEqual(fired);

    const nested = await allDecisions(sdk, 'alarm~many');
    expect(nested.map(({ step, verdict }) => [step, verdict])).toEqual(
      fired.map((step) => [step, (values[step]?.n ?? 0) > 1200 ? 'fired' : 'quiet']),
    );
    const many = nested.flatMap(({ verdict, step }) => (verdict === 'fired' ? [step] : []));
    expect(many.length).toBeGreaterThan(0);
    expect((await eventsOf(cluster.url, 'alarm~many', many.length)).map(({ data: { step } }) => step)).toEqual(many);
  },
  PUTTING_MS,
);
