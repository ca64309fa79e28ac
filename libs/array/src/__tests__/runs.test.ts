import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ArrayShapeError } from '../array-error.js';
import { forEachRun, packedBytes, planRuns, runShape } from '../runs.js';
import { cellIndex, cellsOf, nestedBoxes } from './nested-boxes.js';

const itemSizes = fc.constantFrom(1, 2, 3, 4, 8, 16);

function runsOf(...[sourceBox, box, itemSize]: Parameters<typeof runShape>): [number, number, number][] {
  const runs: [number, number, number][] = [];
  forEachRun(sourceBox, box, itemSize, (...run) => runs.push(run));
  return runs;
}

describe('forEachRun', () => {
  test('visits exactly the bytes of the box, in row-major order', () => {
    fc.assert(
      fc.property(nestedBoxes, itemSizes, ({ sourceBox, box }, itemSize) => {
        const expected: number[] = [];
        for (const cell of cellsOf(box)) {
          for (let byte = 0; byte < itemSize; byte++) expected.push(cellIndex(cell, sourceBox) * itemSize + byte);
        }
        const visited: number[] = [];
        for (const [sourceOffset, length, targetOffset] of runsOf(sourceBox, box, itemSize)) {
          expect(targetOffset).toBe(visited.length);
          for (let byte = 0; byte < length; byte++) visited.push(sourceOffset + byte);
        }
        expect(visited).toEqual(expected);
      }),
    );
  });

  test('runs are as long as they can be: no two touch', () => {
    fc.assert(
      fc.property(nestedBoxes, itemSizes, ({ sourceBox, box }, itemSize) => {
        const runs = runsOf(sourceBox, box, itemSize);
        runs.slice(1).forEach(([offset], i) => {
          const [before, length] = runs[i] ?? [0, 0];
          expect(offset).toBeGreaterThan(before + length);
        });
      }),
    );
  });
});

describe('runShape', () => {
  test('agrees with the runs', () => {
    fc.assert(
      fc.property(nestedBoxes, itemSizes, ({ sourceBox, box }, itemSize) => {
        const runs = runsOf(sourceBox, box, itemSize);
        const [first] = runs[0] ?? [0];
        const [last, length] = runs.at(-1) ?? [0, 0];
        expect(runShape(sourceBox, box, itemSize)).toEqual({
          runs: runs.length,
          runBytes: length,
          spanOffset: first,
          spanBytes: last + length - first,
        });
      }),
    );
  });

  test('whole rows are one run, a column is one run per row', () => {
    const sourceBox = { lower: [0, 0], upper: [100, 64] };
    expect(runShape(sourceBox, { lower: [10, 0], upper: [30, 64] }, 8)).toEqual({
      runs: 1,
      runBytes: 20 * 64 * 8,
      spanOffset: 10 * 64 * 8,
      spanBytes: 20 * 64 * 8,
    });
    expect(runShape(sourceBox, { lower: [0, 3], upper: [100, 4] }, 8)).toEqual({
      runs: 100,
      runBytes: 8,
      spanOffset: 24,
      spanBytes: 99 * 64 * 8 + 8,
    });
  });

  test('an empty box has no runs', () => {
    const sourceBox = { lower: [0, 0], upper: [4, 4] };
    const empty = { lower: [1, 2], upper: [1, 3] };
    expect(runShape(sourceBox, empty, 8)).toEqual({ runs: 0, runBytes: 0, spanOffset: 0, spanBytes: 0 });
    expect(runsOf(sourceBox, empty, 8)).toEqual([]);
  });

  test('offsets past 4 GiB are exact', () => {
    const sourceBox = { lower: [0, 0, 0], upper: [4096, 4096, 4096] };
    const box = { lower: [4095, 4094, 4095], upper: [4096, 4096, 4096] };
    expect(runShape(sourceBox, box, 16)).toMatchObject({ runs: 2, spanOffset: (4096 ** 3 - 4097) * 16 });
  });
});

describe('planRuns', () => {
  test('evenly spaced dimensions share one loop', () => {
    const sourceBox = { lower: [0, 0, 0], upper: [5, 6, 7] };
    const box = { lower: [0, 0, 2], upper: [5, 6, 3] };
    expect(planRuns({ sourceBox, targetBox: box, box, itemSize: 4 })).toEqual({
      runs: 30,
      runBytes: 4,
      sourceOffset: 8,
      targetOffset: 0,
      counts: [30],
      sourceSteps: [28],
      targetSteps: [4],
    });
  });

  test.each([
    ['outside below', { lower: [1, 0], upper: [3, 2] }],
    ['outside above', { lower: [2, 2], upper: [4, 5] }],
    ['inverted', { lower: [3, 2], upper: [2, 3] }],
    ['other rank', { lower: [2], upper: [3] }],
    ['no dimension', { lower: [], upper: [] }],
    ['ragged', { lower: [2, 2], upper: [3] }],
    ['not a number', { lower: [2, Number.NaN], upper: [3, 4] }],
  ])('refuses a box that is %s', (_, box) => {
    const sourceBox = { lower: [2, 0], upper: [4, 4] };
    expect(() => planRuns({ sourceBox, targetBox: sourceBox, box, itemSize: 8 })).toThrow(ArrayShapeError);
  });

  test('names the box that does not fit', () => {
    const box = { lower: [0, 0], upper: [2, 2] };
    const narrow = { lower: [0, 0], upper: [2, 1] };
    expect(() => planRuns({ sourceBox: box, targetBox: narrow, box, itemSize: 8 })).toThrow(
      'expected a box inside the target box 0:2,0:1, got 0:2,0:2',
    );
  });

  test.each([0, -8, 1.5, Number.NaN])('refuses an item size of %p', (itemSize) => {
    const box = { lower: [0], upper: [2] };
    expect(() => planRuns({ sourceBox: box, targetBox: box, box, itemSize })).toThrow(ArrayShapeError);
  });
});

test('packedBytes', () => {
  expect(packedBytes({ lower: [1, 2, 3], upper: [3, 5, 7] }, 8)).toBe(2 * 3 * 4 * 8);
  expect(packedBytes({ lower: [1, 2], upper: [1, 5] }, 8)).toBe(0);
});
