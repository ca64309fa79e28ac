import { describe, expect, test } from '@jest/globals';
import { boxOfShape, contains, makeBox } from '@tidegate/geometry';
import type { IndexEntry, ListReply, VariableRecord } from '@tidegate/protocol';
import { seededRandom } from '@tidegate/testing';
import { addUp } from '../coordinator.js';
import { firstCursor, type ListFilter, listPartitions, summarizeSteps } from '../staged-list.js';
import { heldEntry } from '../step-index.js';
import { VariableIndex } from '../variable-index.js';
import { entryOf, randomBox } from './painted.js';

const SHAPE = [12, 12];

function variable(name: string): VariableIndex {
  return new VariableIndex({
    name,
    dtype: 'int8',
    shape: SHAPE,
    shards: 8,
    createdAt: '',
  } as unknown as VariableRecord);
}

function take(index: VariableIndex, entry: IndexEntry, shards: readonly number[]): void {
  const touched = index.map.shardsOf(entry.box);
  const mine = touched.filter((shard) => shards.includes(shard));
  if (mine.length === 0) return;
  const held = heldEntry(entry, touched[0] ?? 0, mine, 'i');
  index.openRun(entry.run).change(entry.step, (step) => step.adopt(held));
}

function filter(over: Partial<ListFilter> = {}): ListFilter {
  return {
    run: undefined,
    steps: undefined,
    box: undefined,
    belowEpoch: undefined,
    shards: new Set([0, 1, 2, 3, 4, 5, 6, 7]),
    ...over,
  };
}

const GROUPS = [
  [0, 3, 5],
  [1, 2, 4, 6, 7],
];
const random = seededRandom(21);
const entries = Array.from({ length: 300 }, (_, n) =>
  entryOf(n, n % 17 === 0 ? boxOfShape(SHAPE) : randomBox(random, SHAPE), {
    variable: random.pick(['a', 'b']),
    run: random.pick(['r', 's']),
    step: random.int(0, 9),
    epoch: random.int(0, 3),
    bytes: n,
    tier: random.pick(['memory', 'disk']),
  }),
);
/** Two owners, each of which knows what touches its shards. */
const owners = GROUPS.map((shards) => {
  const variables = [variable('a'), variable('b')];
  for (const entry of random.shuffle(entries))
    for (const index of variables) if (index.record.name === entry.variable) take(index, entry, shards);
  return { shards: new Set(shards), variables };
});

describe('listPartitions', () => {
  function pagesOf(over: Partial<ListFilter>, names: readonly string[], maxBytes: number) {
    const seen: string[] = [];
    let cursor: string | undefined;
    let pages = 0;
    do {
      const replies: ListReply[] = owners.map(({ shards, variables }) =>
        listPartitions(
          variables.filter((index) => names.includes(index.record.name)),
          filter({ ...over, shards }),
          { cursor, maxBytes },
        ),
      );
      for (const { partitions = [] } of replies) seen.push(...partitions.map((listed) => listed.id));
      cursor = firstCursor(replies.flatMap((reply) => reply.cursor ?? []));
      pages++;
    } while (cursor !== undefined);
    return { seen, pages };
  }

  test.each([1, 1000, 1_000_000])('tells each partition, of one owner, in pages of %i bytes', (maxBytes) => {
    const cases: [Partial<ListFilter>, string[], (entry: IndexEntry) => boolean][] = [
      [{}, ['a', 'b'], () => true],
      [{ run: 'r' }, ['a'], (entry) => entry.variable === 'a' && entry.run === 'r'],
      [
        { run: 's', steps: '2:5' },
        ['b'],
        (entry) => entry.variable === 'b' && entry.run === 's' && entry.step >= 2 && entry.step < 5,
      ],
      [{ steps: [7, 1, 7, 100] }, ['a'], (entry) => entry.variable === 'a' && [1, 7].includes(entry.step)],
      [{ steps: 3, belowEpoch: 2 }, ['a', 'b'], (entry) => entry.step === 3 && entry.epoch < 2],
      [
        { box: makeBox([0, 0], [9, 9]) },
        ['b'],
        (entry) => entry.variable === 'b' && contains(makeBox([0, 0], [9, 9]), entry.box),
      ],
    ];
    for (const [over, names, wanted] of cases) {
      const { seen, pages } = pagesOf(over, names, maxBytes);
      const expected = entries.filter(wanted).map((entry) => entry.id);
      expect([...new Set(seen)].sort()).toEqual(expected.sort());
      if (pages === 1) expect(seen).toHaveLength(expected.length);
      expect(expected.length).toBeGreaterThan(0);
    }
  });

  test('the first cursor is the least in the order of the list, not of the text', () => {
    expect(firstCursor(['a/r/10/X', 'a/r/9/Y', 'b/a/1/A'])).toBe('a/r/9/Y');
    expect(firstCursor([])).toBeUndefined();
  });
});

describe('summarizeSteps', () => {
  test('adds up over owners to what is staged', () => {
    for (const name of ['a', 'b']) {
      for (const steps of [undefined, '3:7', 4] as const) {
        const replies = owners.map(({ shards, variables }) => {
          const index = variables.find((candidate) => candidate.record.name === name) ?? variable(name);
          return summarizeSteps(index, filter({ run: 'r', steps, shards }));
        });
        const { steps: told, more } = addUp(replies);
        const selected = entries.filter(
          (entry) =>
            entry.variable === name &&
            entry.run === 'r' &&
            (steps === undefined || (steps === 4 ? entry.step === 4 : entry.step >= 3 && entry.step < 7)),
        );
        const numbers = [...new Set(selected.map((entry) => entry.step))].sort((a, b) => a - b);
        expect(more).toBe(false);
        expect(told.map((summary) => summary.step)).toEqual(numbers);
        for (const summary of told) {
          const staged = selected.filter((entry) => entry.step === summary.step);
          const cells = new Set(staged.flatMap((entry) => cellsOf(entry)));
          expect(summary).toEqual({
            step: summary.step,
            covered: cells.size === 144,
            partitions: staged.length,
            bytes: staged.reduce((sum, entry) => sum + entry.bytes, 0),
            onDisk: staged.filter((entry) => entry.tier === 'disk').length,
          });
        }
      }
    }
  });

  test('a run that is not there has no steps', () => {
    expect(summarizeSteps(variable('a'), filter({ run: 'nix' }))).toEqual({ summaries: [] });
  });

  test('a cut list is cut where every owner was complete', () => {
    const summary = (step: number, covered = true) => ({ step, covered, partitions: 1, bytes: 2, onDisk: 0 });
    const replies: ListReply[] = [
      { summaries: [summary(1), summary(2)], cursor: '2' },
      { summaries: [summary(1), summary(2, false), summary(3)] },
    ];
    expect(addUp(replies)).toEqual({
      steps: [
        { step: 1, covered: true, partitions: 2, bytes: 4, onDisk: 0 },
        { step: 2, covered: false, partitions: 2, bytes: 4, onDisk: 0 },
      ],
      more: true,
    });
    expect(addUp([{ summaries: [summary(5)] }, { summaries: [] }]).steps).toEqual([summary(5, false)]);
  });
});

function cellsOf({ box }: IndexEntry): number[] {
  const cells: number[] = [];
  for (let y = box.lower[0] ?? 0; y < (box.upper[0] ?? 0); y++)
    for (let x = box.lower[1] ?? 0; x < (box.upper[1] ?? 0); x++) cells.push(y * 12 + x);
  return cells;
}
