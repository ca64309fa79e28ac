import { describe, expect, test } from '@jest/globals';
import { type Box, isCovered, makeBox } from '@tidegate/geometry';
import type { PartitionId, RawId } from '@tidegate/protocol';
import fc from 'fast-check';
import { type Arrival, Arrivals, type Asked } from '../arrivals.js';

const BOX = makeBox([0], [4]);
const NOTHING = { staged: new Set<number>(), covered: [], partitions: [] };
let ids = 0;

function arrival(step: number, lower: number, upper: number): Arrival {
  return { step, id: `P${ids++}` as PartitionId, raw: 'r' as RawId, bytes: 1, box: makeBox([lower], [upper]) };
}

function covered(boxes: readonly Box[]): boolean {
  return isCovered(
    BOX,
    boxes.map((box) => ({ box })),
  );
}

/** A shard's truth beside the bookkeeping, which is told of it in part only. */
class Truth {
  readonly staged = new Map<number, Box[]>();

  add({ step, box }: Arrival): void {
    this.staged.set(step, [...(this.staged.get(step) ?? []), box]);
  }

  covers(step: number): boolean {
    return covered(this.staged.get(step) ?? []);
  }

  missing(step: number): Box[] {
    const boxes = this.staged.get(step) ?? [];
    const cells = [0, 1, 2, 3].map((cell) => makeBox([cell], [cell + 1]));
    return cells.filter(
      (cell) =>
        !boxes.some(
          (box) => (box.lower[0] ?? 0) <= (cell.lower[0] ?? 0) && (cell.upper[0] ?? 0) <= (box.upper[0] ?? 0),
        ),
    );
  }
}

const steps = fc.integer({ min: 0, max: 4 });
const event = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.tuple(fc.constant('put'), steps, fc.integer({ min: 0, max: 3 }), fc.integer({ min: 1, max: 4 })),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constant('unseen'), steps, fc.integer({ min: 0, max: 3 }), fc.integer({ min: 1, max: 4 })),
  },
  { weight: 2, arbitrary: fc.tuple(fc.constant('survey')) },
  { weight: 3, arbitrary: fc.tuple(fc.constant('ask')) },
  { weight: 3, arbitrary: fc.tuple(fc.constant('answer'), fc.nat(3)) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('decide')) },
);

describe('Arrivals', () => {
  test('nothing that is covered is missed, whatever was not told, once the shards were asked', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        const arrivals = new Arrivals({ box: BOX, byPartition: false, now: () => 0 });
        const truth = new Truth();
        const decided = new Set<number>();
        const open: { readonly asked: Asked; readonly step: number; readonly missing: readonly Box[] }[] = [];
        const ask = (step: number): void => {
          // The shards answer as it is now; the answer may come much later.
          open.push({ asked: arrivals.ask(step), step, missing: truth.missing(step) });
        };
        const answer = (at: number): void => {
          const [question] = open.splice(at % open.length, 1);
          if (question)
            arrivals.answer(
              question.asked,
              question.missing.length > 0 || !arrivals.ready.hasStep(question.step) ? question.missing : undefined,
            );
        };
        const survey = (): void => {
          const staged = [...truth.staged.keys()];
          arrivals.survey(
            { staged: new Set(staged), covered: staged.filter((step) => truth.covers(step)), partitions: [] },
            ({ step }) => decided.has(step),
          );
        };
        let told = false;
        for (const [kind, step = 0, lower = 0, length = 0] of events) {
          if (kind === 'put' || kind === 'unseen') {
            const put = arrival(step, lower, Math.min(4, lower + length));
            truth.add(put);
            if (kind === 'unseen') {
              arrivals.lostTrack();
              told = false;
            } else if (!decided.has(step)) arrivals.arrive(put);
          } else if (kind === 'survey') {
            survey();
            told = true;
          } else if (kind === 'ask') for (const doubtful of [...arrivals.doubtful()]) ask(doubtful);
          else if (kind === 'answer' && open.length > 0) answer(step);
          else if (kind === 'decide') {
            const [due] = arrivals.ready.first(1);
            if (due && truth.covers(due.step)) {
              decided.add(due.step);
              arrivals.done(due);
            }
          }
        }
        if (!told) survey();
        while (open.length > 0) answer(0);
        for (const doubtful of [...arrivals.doubtful()]) ask(doubtful);
        while (open.length > 0) answer(0);
        for (const step of truth.staged.keys()) {
          if (truth.covers(step) && !decided.has(step))
            expect([step, arrivals.ready.hasStep(step)]).toEqual([step, true]);
          if (!truth.covers(step)) expect([step, arrivals.ready.hasStep(step)]).toEqual([step, false]);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('what arrives while the shards are asked for a step that looked covered counts', () => {
    const arrivals = new Arrivals({ box: BOX, byPartition: false, now: () => 0 });
    arrivals.survey(NOTHING, () => false);
    arrivals.arrive(arrival(1, 0, 2));
    // Undone again, and put anew when the shards have answered and the answer is on its way.
    arrivals.arrive(arrival(1, 2, 4));
    const asked = arrivals.ask(1);
    arrivals.arrive(arrival(1, 2, 4));
    arrivals.answer(asked, [makeBox([2], [4])]);
    expect(arrivals.ready.hasStep(1)).toBe(true);
    const again = arrivals.ask(1);
    arrivals.answer(again, [makeBox([2], [4])]);
    expect(arrivals.ready.hasStep(1)).toBe(false);
    arrivals.arrive(arrival(1, 2, 4));
    expect(arrivals.ready.hasStep(1)).toBe(true);
  });

  test('partitions alone are ready at once, each once, inside the box only', () => {
    const arrivals = new Arrivals({ box: BOX, byPartition: true, now: () => 0 });
    const first = arrival(3, 0, 2);
    arrivals.arrive(first);
    arrivals.arrive(first);
    arrivals.arrive(arrival(3, 4, 6));
    const old = arrival(1, 2, 3);
    arrivals.survey({ ...NOTHING, partitions: [old, first] }, () => false);
    expect(arrivals.ready.first(9).map(({ partition }) => partition?.id)).toEqual([old.id, first.id]);
    arrivals.done({ step: 3, partition: first });
    expect(arrivals.mayDecide(3)).toBe(false);
    expect(arrivals.mayDecide(1)).toBe(true);
  });

  test('a rollback forgets what was above it', () => {
    const arrivals = new Arrivals({ box: BOX, byPartition: false, now: () => 0 });
    arrivals.survey(NOTHING, () => false);
    for (const step of [1, 2]) arrivals.arrive(arrival(step, 0, 4));
    for (const step of [3, 4]) arrivals.arrive(arrival(step, 0, 2));
    arrivals.rollBack(1);
    expect(arrivals.ready.first(9)).toEqual([{ step: 1 }]);
    expect([...arrivals.begun()]).toEqual([]);
    arrivals.arrive(arrival(3, 2, 4));
    expect(arrivals.ready.hasStep(3)).toBe(false);
  });

  test('tells which steps have begun, and counts no more than so many at a time', () => {
    let now = 0;
    const arrivals = new Arrivals({ box: BOX, byPartition: false, now: () => now });
    arrivals.survey({ ...NOTHING, staged: new Set([70_000]) }, () => false);
    for (let step = 0; step < 5000; step++) {
      now = step;
      arrivals.arrive(arrival(step, 0, 2));
    }
    const begun = [...arrivals.begun()];
    expect(begun.length).toBe(5001);
    expect(begun).toContainEqual({ step: 70_000, lastArrival: 0 });
    // The oldest were given up: when more of them arrives the shards must be asked.
    arrivals.arrive(arrival(0, 2, 4));
    expect(arrivals.ready.hasStep(0)).toBe(false);
    expect([...arrivals.doubtful()]).toContain(0);
    arrivals.arrive(arrival(4999, 2, 4));
    expect(arrivals.ready.hasStep(4999)).toBe(true);
  });

  test('what turns out to be decided goes', () => {
    const arrivals = new Arrivals({ box: BOX, byPartition: false, now: () => 0 });
    arrivals.arrive(arrival(1, 0, 4));
    arrivals.arrive(arrival(2, 0, 2));
    expect(arrivals.empty).toBe(false);
    arrivals.dropDecided(() => true);
    expect(arrivals.empty).toBe(true);
  });
});
