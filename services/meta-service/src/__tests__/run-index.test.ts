import { describe, expect, test } from '@jest/globals';
import { makeBox, parseBox } from '@tidegate/geometry';
import { seededRandom } from '@tidegate/testing';
import { coveredSteps } from '../covered-steps.js';
import { regionOf } from '../region.js';
import { lowerBound, RunIndex } from '../run-index.js';
import { WaitRoom } from '../wait-room.js';
import { entryOf, heldOf, mapOf, randomBox, ulid } from './painted.js';

const RULE = { replace: false, isLive: () => true };
const map = mapOf([10], 1);
const whole = regionOf(map, makeBox([0], [10]), [0]);
const ASKED = { after: -1, order: 'newest', limit: 10 } as const;
let serial = 0;

function put(run: RunIndex, step: number, text: string): string {
  serial++;
  run.change(step, (index) => index.index(heldOf(map, entryOf(serial, parseBox(text), { step })), RULE));
  return ulid(serial);
}

function remove(run: RunIndex, step: number, id: string): void {
  run.change(step, (index) => index.remove(id));
}

test('keeps the staged steps in rising order, whatever the order of arrival', () => {
  const run = new RunIndex('r');
  const random = seededRandom(1);
  const ids = new Map<number, string>();
  for (const step of random.shuffle(Array.from({ length: 200 }, (_, i) => i * 3))) ids.set(step, put(run, step, '0:1'));
  for (const step of random.shuffle([...ids.keys()]).slice(0, 100)) {
    remove(run, step, ids.get(step) ?? '');
    ids.delete(step);
  }
  expect(run.staged).toEqual([...ids.keys()].sort((a, b) => a - b));
  for (const [step, id] of ids) remove(run, step, id);
  expect(run.staged).toEqual([]);
  expect(run.idle).toBe(true);
});

test('lowerBound is the position of the first number that is large enough', () => {
  expect([0, 1, 3, 4, 9].map((value) => lowerBound([1, 3, 3, 8], value))).toEqual([0, 0, 1, 3, 4]);
});

test('an edit of a step that was never there leaves nothing behind', () => {
  const run = new RunIndex('r');
  remove(run, 7, ulid(1));
  expect(run.step(7)).toBeUndefined();
  expect(run.idle).toBe(true);
});

describe('waiting for a step', () => {
  test('ends with the partition that completes it, for all that wait', async () => {
    const run = new RunIndex('r');
    const room = new WaitRoom(100);
    const coverage = run.coverage(whole, false);
    const step = run.openStep(4);
    const waits = Array.from({ length: 5 }, () => coverage.waitForStep(step, room.enter([0], 10_000)));
    put(run, 4, '0:4');
    put(run, 4, '6:10');
    expect(room.size).toBe(5);
    put(run, 4, '3:7');
    expect(await Promise.all(waits)).toEqual(Array(5).fill('changed'));
    expect(room.size).toBe(0);
    expect(coverage.busy).toBe(false);
  });

  test('outlives the removal of all that was there', async () => {
    const run = new RunIndex('r');
    const room = new WaitRoom(100);
    const coverage = run.coverage(whole, false);
    const first = put(run, 4, '0:4');
    const wait = coverage.waitForStep(run.openStep(4), room.enter([0], 10_000));
    remove(run, 4, first);
    expect(run.staged).toEqual([]);
    expect(run.idle).toBe(false);
    put(run, 4, '0:10');
    expect(await wait).toBe('changed');
  });

  test('ends at its time, and when the step is dropped', async () => {
    const run = new RunIndex('r');
    const room = new WaitRoom(100);
    const coverage = run.coverage(whole, false);
    expect(await coverage.waitForStep(run.openStep(1), room.enter([0], 5))).toBe('timeout');
    const dropped = coverage.waitForStep(run.openStep(1), room.enter([0], 10_000));
    const staged = coverage.waitForStep(run.openStep(2), room.enter([0], 30));
    put(run, 2, '0:1');
    run.raiseFloor(3);
    expect(await dropped).toBe('changed');
    expect(run.isDropped(1)).toBe(true);
    expect(run.isDropped(2)).toBe(false);
    expect(run.isDropped(3)).toBe(false);
    expect(await staged).toBe('timeout');
    run.rollBack({ epoch: 1, toStep: 0 });
    expect(run.isDropped(1)).toBe(false);
    expect(run.isDropped(0)).toBe(true);
  });
});

describe('the list of covered steps', () => {
  test('is followed through puts and removals as a scan would tell it', async () => {
    const random = seededRandom(11);
    const shape = [6, 6];
    const square = mapOf(shape, 4);
    const run = new RunIndex('r');
    const regions = [
      regionOf(square, makeBox([0, 0], [6, 6]), square.touched),
      regionOf(square, makeBox([0, 0], [6, 6]), [1, 3]),
    ];
    const ids: { id: string; step: number }[] = [];
    const versions = new Map<string, string>();
    for (let n = 0; n < 400; n++) {
      const victim = ids[random.int(0, ids.length + 1)];
      if (victim && random.int(0, 3) === 0) {
        run.change(victim.step, (index) => index.remove(victim.id));
        ids.splice(ids.indexOf(victim), 1);
      } else {
        const step = random.int(0, 12);
        const box = random.int(0, 3) === 0 ? makeBox([0, 0], [6, 6]) : randomBox(random, shape);
        run.change(step, (index) => index.index(heldOf(square, entryOf(n, box, { step })), RULE));
        ids.push({ id: ulid(n), step });
      }
      for (const region of regions) {
        for (const asked of [
          { after: -1, order: 'newest', limit: 3 },
          { after: 4, order: 'oldest', limit: 2 },
        ] as const) {
          const coverage = run.coverage(region, true);
          const list = coveredSteps(run, coverage, asked);
          run.closeCoverage(coverage);
          const scanned = run.staged.filter((step) => step > asked.after && scan(run, step, region) === 0);
          const ordered = asked.order === 'newest' ? scanned.toReversed() : scanned;
          expect(list.steps).toEqual(ordered.slice(0, asked.limit));
          expect(list.more).toBe(ordered.length > asked.limit);
          const key = list.steps.join();
          versions.set(key, versions.get(key) ?? list.version);
          expect(versions.get(key)).toBe(list.version);
        }
      }
    }
    expect(new Set(versions.values()).size).toBe(versions.size);
    expect(versions.size).toBeGreaterThan(10);
  });

  /** What a run that nobody followed would count. */
  function scan(run: RunIndex, step: number, region: ReturnType<typeof regionOf>): number {
    const fresh = { ...region };
    return run.step(step)?.uncoveredCells(fresh) ?? region.cells;
  }

  test('wakes its followers for steps above theirs alone', async () => {
    const run = new RunIndex('r');
    const room = new WaitRoom(100);
    const coverage = run.coverage(whole, true);
    put(run, 3, '0:10');
    expect(coveredSteps(run, coverage, ASKED).steps).toEqual([3]);
    const above3 = coverage.waitForList(3, room.enter([0], 10_000));
    const above5 = coverage.waitForList(5, room.enter([0], 40));
    put(run, 5, '0:9');
    expect(room.size).toBe(2);
    put(run, 5, '9:10');
    expect(await above3).toBe('changed');
    expect(coveredSteps(run, coverage, ASKED).steps).toEqual([5, 3]);
    expect(await above5).toBe('timeout');
  });

  test('has a version of its own also when it is long', () => {
    const run = new RunIndex('r');
    for (let step = 0; step < 100; step++) put(run, step, '0:10');
    const coverage = run.coverage(whole, true);
    const all = coveredSteps(run, coverage, { ...ASKED, limit: 200 });
    const fewer = coveredSteps(run, coverage, { ...ASKED, limit: 99 });
    expect(all.steps).toHaveLength(100);
    expect(fewer).toMatchObject({ more: true });
    expect(all.version).not.toBe(fewer.version);
    expect(all.version.length).toBeLessThan(50);
  });
});

test('coverage is counted for the last regions that were used, not for all that ever were', () => {
  const run = new RunIndex('r');
  const wide = mapOf([1000], 1);
  const step = run.openStep(0);
  for (let at = 0; at < 100; at++) {
    const coverage = run.coverage(regionOf(wide, makeBox([at], [at + 1]), [0]), true);
    coverage.covers(step);
    run.closeCoverage(coverage);
  }
  const kept = Array.from({ length: 100 }, (_, at) =>
    run.coverage(regionOf(wide, makeBox([at], [at + 1]), [0]), false),
  ).map((coverage) => step.heard(coverage) !== undefined);
  expect(kept.filter(Boolean)).toHaveLength(16);
  expect(kept.slice(84)).toEqual(Array(16).fill(true));
});
