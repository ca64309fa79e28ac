import { describe, expect, test } from '@jest/globals';
import { boxOfShape, makeBox, parseBox } from '@tidegate/geometry';
import { seededRandom } from '@tidegate/testing';
import { regionOf } from '../region.js';
import { StepIndex } from '../step-index.js';
import { planStep } from '../step-plan.js';
import { entryOf, heldOf, mapOf, paint, randomBox, SHAPES, ulid, untrueCells } from './painted.js';

const RULE = { replace: false, isLive: () => true };
const one = mapOf([10], 1);

function put(index: StepIndex, n: number, text: string, over = {}) {
  return index.index(heldOf(one, entryOf(n, parseBox(text), over)), RULE);
}

describe('planStep', () => {
  const whole = regionOf(one, makeBox([0], [10]), [0]);
  const options = { epoch: 0, piecesLimit: 3, opaque: false };

  test('an empty step misses everything', () => {
    expect(planStep(undefined, whole, options)).toEqual({
      covered: false,
      epoch: 0,
      pieces: [],
      missing: ['0:10'],
      missingCount: 1,
    });
  });

  test('more pieces than fit are not sent, coverage is', () => {
    const index = new StepIndex(0);
    for (let i = 0; i < 4; i++) put(index, i + 1, `${2 * i}:${2 * i + 2}`);
    expect(planStep(index, whole, options)).toMatchObject({
      covered: false,
      split: true,
      pieces: [],
      missing: ['8:10'],
    });
    put(index, 5, '8:10');
    expect(planStep(index, whole, options)).toMatchObject({ covered: true, split: true, pieces: [], missingCount: 0 });
    const half = regionOf(one, makeBox([0], [5]), [0]);
    expect(planStep(index, half, options).pieces.map((piece) => piece.box)).toEqual(['0:2', '2:4', '4:5']);
  });

  test('opaque objects are named whole, and only where some cell shows them', () => {
    const index = new StepIndex(0);
    put(index, 1, '0:4', { bytes: 100 });
    put(index, 2, '0:6', { bytes: 200 });
    put(index, 3, '5:9', { bytes: 300 });
    const region = regionOf(one, makeBox([3], [7]), [0]);
    const plan = planStep(index, region, { ...options, opaque: true });
    expect(plan.covered).toBe(true);
    expect(plan.pieces.map(({ id, box, bytes }) => [id, box, bytes]).sort()).toEqual([
      [ulid(2), '0:6', 200],
      [ulid(3), '5:9', 300],
    ]);
  });

  test('missing boxes are listed up to the limit and counted beyond it', () => {
    const wide = mapOf([1000], 1);
    const index = new StepIndex(0);
    for (let i = 0; i < 100; i++) index.index(heldOf(wide, entryOf(i, makeBox([10 * i], [10 * i + 5]))), RULE);
    const plan = planStep(index, regionOf(wide, makeBox([0], [1000]), [0]), { ...options, piecesLimit: 4000 });
    expect(plan.missingCount).toBe(100);
    expect(plan.missing.length).toBe(64);
  });
});

test.each(SHAPES.map((shape) => ({ shape })))(
  'owners that know their own shards alone tell together what is newest, shape $shape',
  ({ shape }) => {
    for (let seed = 1; seed <= 12; seed++) {
      const random = seededRandom(seed * 97);
      const map = mapOf(shape, random.pick([3, 7, 16]));
      const owners = random.int(1, 5);
      const owned = Array.from({ length: owners }, (_, o) => map.touched.filter((shard) => shard % owners === o));
      const indexes = owned.map(() => new StepIndex(0));
      const entries = Array.from({ length: 60 }, (_, n) =>
        entryOf(n, randomBox(random, shape), { stamp: random.int(1, 40) }),
      );
      // As inventories tell them: every owner hears of what touches its shards, in an order of its own.
      for (const [o, index] of indexes.entries()) {
        for (const entry of random.shuffle(entries)) {
          const mine = map.shardsOf(entry.box).filter((shard) => owned[o]?.includes(shard));
          if (mine.length > 0) index.adopt(heldOf(map, entry, mine));
        }
      }
      const cells = paint(shape, entries);
      for (const box of [boxOfShape(shape), randomBox(random, shape), randomBox(random, shape)]) {
        const plans = indexes.map((index, o) =>
          planStep(index, regionOf(map, box, owned[o] ?? []), { epoch: 0, piecesLimit: 4000, opaque: false }),
        );
        expect(untrueCells(plans, [box], shape, cells)).toEqual([]);
      }
    }
  },
);
