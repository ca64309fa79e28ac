import { describe, expect, test } from '@jest/globals';
import type { Tidegate } from '@tidegate/client';
import { type Box, boxOfShape } from '@tidegate/geometry';
import type { DecisionReply, TriggerDefinitionInput } from '@tidegate/protocol';
import { seededRandom } from '@tidegate/testing';
import { cellsOf } from '../cells.js';
import { startCluster } from '../cluster.js';
import { gridBoxes } from '../trigger-field.js';
import { decided, eventsOf } from '../trigger-log.js';
import { unevenBoxes } from '../uneven-boxes.js';

const STEPS = 24;
const SHARDS = [1, 4, 16];

/** How a domain is cut, by the run that is cut so. */
type Cuts = Readonly<Record<string, readonly Box[]>>;

interface Domain {
  readonly name: string;
  readonly shape: readonly number[];
  readonly connectivity: number;
  readonly cuts: Cuts;
}

const PLANE = [24, 20];
const SOLID = [12, 10, 8];
const DOMAINS: readonly Domain[] = [
  {
    name: 'plane',
    shape: PLANE,
    connectivity: 4,
    cuts: {
      whole: [boxOfShape(PLANE)],
      grid8: gridBoxes(PLANE, [2, 4]),
      grid27: gridBoxes(PLANE, [9, 3]),
      grid64: gridBoxes(PLANE, [8, 8]),
      uneven27: unevenBoxes(PLANE, 27, seededRandom(5)),
    },
  },
  {
    name: 'solid',
    shape: SOLID,
    connectivity: 26,
    cuts: {
      whole: [boxOfShape(SOLID)],
      grid8: gridBoxes(SOLID, [2, 2, 2]),
      grid27: gridBoxes(SOLID, [3, 3, 3]),
      grid64: gridBoxes(SOLID, [4, 4, 4]),
      uneven64: unevenBoxes(SOLID, 64, seededRandom(6)),
    },
  },
];

/** Values that depend on the order in which cells are added up, in the last bits. */
const ROUNDED = ['total', 'avg', 'v', 'l2'];

function definitionOf({ name, connectivity }: Domain): TriggerDefinitionInput {
  return {
    name,
    on: { variable: name },
    check: {
      mx: { reduce: 'max' },
      where: { reduce: 'argmax' },
      total: { reduce: 'sum' },
      avg: { reduce: 'mean' },
      v: { reduce: 'var' },
      q: { reduce: 'quantile', q: 0.9 },
      hist: { reduce: 'histogram', bins: 16, range: [0, 100] },
      blobs: { components: { above: 60, connectivity } },
      bad: { reduce: 'nan_count' },
      d: { reduce: 'linf_diff', against: 'previous' },
    },
    compare: { condition: 'avg > movavg(history.avg, 4) && blobs >= 2', for: 2, keepFiringFor: 1, cooldown: 1 },
    action: [
      {
        trigger: {
          name: 'jump',
          check: {
            l2: { reduce: 'l2_diff', against: 'previous' },
            ent: { reduce: 'entropy', bins: 8, range: [0, 100] },
            low: { reduce: 'fraction', below: 10 },
          },
          compare: { condition: 'l2 > delta(history.ent) && low < 0.9', onUnknown: 'fire' },
          action: [{ emit: { data: { found: true } } }],
        },
      },
    ],
  };
}

/** Cells between 0 and 100, some of them no numbers, whose mean goes up and down with the steps. */
function fieldAt(shape: readonly number[], step: number): Float64Array {
  const random = seededRandom(1000 + step);
  const height = 55 + 40 * Math.sin(step / 3);
  const cells = Float64Array.from({ length: shape.reduce((a, b) => a * b) }, () => random.next() * height);
  for (let hole = 0; hole < step % 4; hole++) cells[random.int(0, cells.length)] = Number.NaN;
  return cells;
}

/** Puts the same steps in all runs, in each of them cut in its own way and in shuffled order. */
async function putAll(sdk: Tidegate, { name, shape, cuts }: Domain): Promise<void> {
  for (let step = 0; step < STEPS; step++) {
    const cells = fieldAt(shape, step);
    const random = seededRandom(step);
    await Promise.all(
      Object.entries(cuts).flatMap(([run, boxes]) =>
        random.shuffle(boxes).map((box) => {
          const data = Float64Array.from(cellsOf(shape, box), (cell) => cells[cell] ?? 0);
          return sdk.put({ variable: name, run, step, box, data });
        }),
      ),
    );
  }
}

/** What a decision says, but for where and when it was made. */
function told({
  run: _,
  committedAt: __,
  sequence: ___,
  ...rest
}: DecisionReply): Omit<DecisionReply, 'run' | 'committedAt' | 'sequence'> {
  return rest;
}

type Told = ReturnType<typeof told>;

/** Takes a value that is rounded for the one that it is to be, where they are as near as the promise says. */
function settled(found: Told, expected: Told | undefined): Told {
  const values = { ...found.values };
  for (const name of ROUNDED) {
    const [is, should] = [Number(values[name]), Number(expected?.values[name])];
    if (Math.abs(is - should) <= 1e-12 * Math.abs(should)) values[name] = expected?.values[name];
  }
  return { ...found, values };
}

const logs = new Map<string, readonly Told[]>();

describe.each(SHARDS)('on %i shards', (shards) => {
  test.each(DOMAINS.map((domain) => [domain.name, domain] as const))(
    'the decisions on a %s do not depend on how it is cut',
    async (name, domain) => {
      const cluster = await startCluster({ raw: 3, meta: Math.min(2, shards), shards });
      try {
        const sdk = await cluster.sdk();
        await sdk.declare({ name, dtype: 'float64', shape: [...domain.shape], window: 8 });
        await sdk.triggers.register(definitionOf(domain));
        await putAll(sdk, domain);
        const runs = Object.keys(domain.cuts);
        await decided(sdk, name, STEPS * runs.length, { timeoutMs: 60_000 });
        for (const trigger of [name, `${name}~jump`]) {
          const fired: string[] = [];
          for (const run of runs) {
            const outermost = trigger === name;
            const decisions = await decided(sdk, trigger, outermost ? STEPS : 1, { run });
            const expected = logs.get(trigger) ?? decisions.map(told);
            logs.set(trigger, expected);
            expect(decisions.map(told).map((each, at) => settled(each, expected[at]))).toEqual(expected);
            fired.push(...decisions.filter(({ verdict }) => verdict === 'fired').map(({ step }) => `${run} ${step}`));
          }
          expect(fired.length).toBeGreaterThan(runs.length);
          const events = await eventsOf(cluster.url, trigger, fired.length);
          expect(events.map(({ data }) => `${data.run} ${data.step}`).sort()).toEqual(fired.sort());
        }
        // The reference itself is right.
        for (const { step, values, late } of logs.get(name) ?? []) {
          const cells = fieldAt(domain.shape, step).filter((value) => !Number.isNaN(value));
          const hist = new Array<number>(16).fill(0);
          for (const cell of cells) {
            const bin = Math.floor((cell / 100) * 16);
            hist[bin] = (hist[bin] ?? 0) + 1;
          }
          expect({ mx: values['mx'], hist: values['hist'], late }).toEqual({
            mx: Math.max(...cells),
            hist,
            late: false,
          });
        }
        expect(logs.get(name)?.map(({ step }) => step)).toEqual([...Array(STEPS).keys()]);
      } finally {
        await cluster.stop();
      }
    },
    90_000,
  );
});
