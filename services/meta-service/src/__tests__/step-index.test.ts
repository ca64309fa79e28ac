import { describe, expect, test } from '@jest/globals';
import { type Box, boxOfShape, makeBox, parseBox } from '@tidegate/geometry';
import { seededRandom } from '@tidegate/testing';
import { regionOf } from '../region.js';
import { type CoverageListener, type Held, StepIndex } from '../step-index.js';
import { planStep } from '../step-plan.js';
import { eachCell, entryOf, heldOf, mapOf, paint, randomBox, SHAPES, ulid, untrueCells } from './painted.js';

const RULE = { replace: false, isLive: () => true };
const one = mapOf([10], 1);

function put(index: StepIndex, n: number, text: string, over = {}) {
  return index.index(heldOf(one, entryOf(n, parseBox(text), over)), RULE);
}

class Recorder implements CoverageListener {
  readonly region;
  readonly heard: boolean[] = [];
  constructor(region: ReturnType<typeof regionOf>) {
    this.region = region;
  }
  coverageChanged(_: StepIndex, covered: boolean): void {
    this.heard.push(covered);
  }
}

describe('index', () => {
  test('asks for a newer stamp where a newer partition overlaps', () => {
    const index = new StepIndex(0);
    expect(put(index, 1, '0:5', { stamp: 70 })).toEqual({ kind: 'indexed' });
    expect(put(index, 2, '4:6', { stamp: 90 })).toEqual({ kind: 'indexed' });
    expect(put(index, 3, '4:10', { stamp: 50 })).toEqual({ kind: 'restamp', above: 90 });
    expect(index.size).toBe(2);
    expect(put(index, 3, '4:10', { stamp: 91 })).toEqual({ kind: 'indexed' });
    expect(put(index, 4, '6:10', { stamp: 5 })).toEqual({ kind: 'restamp', above: 91 });
    // Equal stamps are told apart by id.
    expect(put(index, 0, '0:1', { stamp: 70 })).toEqual({ kind: 'restamp', above: 70 });
    expect(put(index, 5, '0:1', { stamp: 70 })).toEqual({ kind: 'indexed' });
  });

  test('the same put again raises its own stamp and never lowers it', () => {
    const index = new StepIndex(0);
    put(index, 1, '0:5', { stamp: 10 });
    expect(put(index, 1, '0:5', { stamp: 20 })).toEqual({ kind: 'indexed' });
    expect(put(index, 1, '0:5', { stamp: 10 })).toEqual({ kind: 'indexed' });
    expect(index.get(ulid(1))?.stamp).toBe(20);
    expect(index.size).toBe(1);
  });

  test('an id at another live raw-service is a duplicate, at a dead one or by decision it is replaced', () => {
    const index = new StepIndex(0);
    put(index, 1, '0:5', { stamp: 10 });
    const copy = (stamp: number) => heldOf(one, entryOf(1, parseBox('0:5'), { raw: 'raw-b', stamp }));
    expect(index.index(copy(11), RULE)).toEqual({ kind: 'duplicate', raw: 'raw-a' });
    expect(index.get(ulid(1))?.raw).toBe('raw-a');
    expect(index.index(copy(11), { ...RULE, isLive: () => false })).toEqual({ kind: 'indexed' });
    expect(index.get(ulid(1))?.raw).toBe('raw-b');
    const third = heldOf(one, entryOf(1, parseBox('0:5'), { raw: 'raw-c', stamp: 4 }));
    expect(index.index(third, { replace: true, isLive: () => true })).toEqual({ kind: 'indexed' });
    expect(index.get(ulid(1))).toMatchObject({ raw: 'raw-c', stamp: 4 });
  });

  test('of two copies in inventories every order keeps the same one', () => {
    const copies = [
      ['raw-a', 5],
      ['raw-b', 9],
      ['raw-c', 9],
    ] as const;
    for (const order of [copies, copies.toReversed(), [copies[1], copies[0], copies[2]]]) {
      const index = new StepIndex(0);
      const losers = new Set<string>();
      for (const [raw, stamp] of order) {
        const loser = index.adopt(heldOf(one, entryOf(1, parseBox('0:5'), { raw, stamp })));
        if (loser !== undefined) losers.add(loser);
      }
      expect(index.get(ulid(1))?.raw).toBe('raw-b');
      expect([...losers].sort()).toEqual(['raw-a', 'raw-c']);
    }
  });
});

test('a tier is set for the named raw-service only', () => {
  const index = new StepIndex(0);
  put(index, 1, '0:5');
  const before = index.version;
  index.setTier(ulid(1), 'raw-b', 'disk');
  index.setTier(ulid(9), 'raw-a', 'disk');
  expect(index.get(ulid(1))?.tier).toBe('memory');
  expect(index.version).toBe(before);
  index.setTier(ulid(1), 'raw-a', 'disk');
  expect(index.get(ulid(1))?.tier).toBe('disk');
  expect(index.version).not.toBe(before);
});

describe.each(SHAPES.map((shape) => ({ shape })))('random puts and removals in shape $shape', ({ shape }) => {
  test.each([1, 2, 5, 16])('over %i shards tile exactly, newest first, and coverage is told as it is', (shards) => {
    for (let seed = 1; seed <= 4; seed++) {
      const random = seededRandom(seed * 31 + shards + shape.length);
      const map = mapOf(shape, shards);
      const index = new StepIndex(0);
      const model = new Map<string, Held>();
      const regions = [boxOfShape(shape), randomBox(random, shape), randomBox(random, shape)].flatMap((box) => [
        regionOf(map, box, map.touched),
        regionOf(
          map,
          box,
          map.touched.filter((s) => s % 2 === 0),
        ),
      ]);
      const recorders = regions.map((region) => new Recorder(region));
      const told = recorders.map((recorder) => index.listen(recorder));
      let clock = 0;
      for (let n = 0; n < 120; n++) {
        if (random.int(0, 4) === 0 && model.size > 0) {
          const victim = [...model.keys()][random.int(0, model.size)] ?? '';
          index.remove(victim);
          model.delete(victim);
        } else {
          // Arrival is not the order of the stamps: some come late and have to take a new one.
          const box = random.int(0, 6) === 0 ? boxOfShape(shape) : randomBox(random, shape);
          let stamp = Math.max(1, clock - random.int(0, 8));
          for (let tries = 0; ; tries++) {
            const entry = heldOf(map, entryOf(n, box, { stamp }));
            const outcome = index.index(entry, RULE);
            const newest = Math.max(
              0,
              ...[...model.values()].filter((held) => overlaps(held.box, box)).map((held) => held.stamp),
            );
            if (outcome.kind === 'indexed') {
              model.set(entry.id, entry);
              break;
            }
            expect(outcome).toEqual({ kind: 'restamp', above: newest });
            expect(tries).toBe(0);
            stamp = newest + 1;
          }
          clock = Math.max(clock, stamp) + 1;
        }
        const cells = paint(shape, model.values());
        for (const [i, recorder] of recorders.entries()) {
          const covered = uncoveredIn(recorder.region.boxes, shape, cells) === 0;
          for (const heard of recorder.heard.splice(0)) {
            expect(heard).not.toBe(told[i]);
            told[i] = heard;
          }
          expect(told[i]).toBe(covered);
          expect(index.heard(recorder)).toBe(covered);
        }
        if (n % 20 === 19) for (const region of regions) checkPlan(index, region, shape, cells);
      }
      expect(index.size).toBe(model.size);
    }
  });
});

function overlaps(a: Box, b: Box): boolean {
  return a.lower.every((lower, d) => lower < (b.upper[d] ?? 0) && (b.lower[d] ?? 0) < (a.upper[d] ?? 0));
}

function uncoveredIn(boxes: readonly Box[], shape: readonly number[], cells: readonly (string | undefined)[]): number {
  let count = 0;
  for (const box of boxes) eachCell(box, shape, (cell) => (count += cells[cell] === undefined ? 1 : 0));
  return count;
}

function checkPlan(
  index: StepIndex,
  region: ReturnType<typeof regionOf>,
  shape: readonly number[],
  cells: readonly (string | undefined)[],
): void {
  const plan = planStep(index, region, { epoch: 3, piecesLimit: 4000, opaque: false });
  expect(untrueCells([plan], region.boxes, shape, cells)).toEqual([]);
  expect(plan.missing.length).toBe(plan.missingCount);
  expect(plan.covered).toBe(plan.missingCount === 0);
  expect(index.uncoveredCells(region)).toBe(uncoveredIn(region.boxes, shape, cells));
}

test('a step of many partitions is told covered with the last one, once', () => {
  const side = 100;
  const shape = [side * 8, side * 8];
  const map = mapOf(shape, 16);
  const index = new StepIndex(0);
  const recorder = new Recorder(regionOf(map, boxOfShape(shape), map.touched));
  expect(index.listen(recorder)).toBe(false);
  const order = seededRandom(7).shuffle(Array.from({ length: side * side }, (_, i) => i));
  let early = 0;
  for (const [n, cell] of order.entries()) {
    const row = Math.floor(cell / side) * 8;
    const column = (cell % side) * 8;
    early = recorder.heard.length;
    index.index(heldOf(map, entryOf(n, makeBox([row, column], [row + 8, column + 8]))), RULE);
  }
  expect(early).toBe(0);
  expect(recorder.heard).toEqual([true]);
  expect(index.size).toBe(side * side);
  index.remove(ulid(17));
  expect(recorder.heard).toEqual([true, false]);
});
