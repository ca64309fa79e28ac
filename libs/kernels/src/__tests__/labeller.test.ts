import { expect, test } from '@jest/globals';
import { type Box, boxOfShape } from '@tidegate/geometry';
import { seededRandom } from '@tidegate/testing';
import { Labeller, previousRows, rowShape } from '../labeller.js';
import type { Surface } from '../surface.js';

function label(
  options: { piece: Box; box: Box; neighbours: number },
  mask: Uint8Array,
  blocks: readonly number[] = [],
): Surface {
  const labeller = new Labeller(options);
  let from = 0;
  for (const at of [...blocks].sort((a, b) => a - b)) {
    labeller.push(mask.subarray(from, at));
    from = at;
  }
  labeller.push(mask.subarray(from));
  return labeller.finish();
}

test('how the mask is cut into blocks makes no difference', () => {
  const random = seededRandom(4);
  const box = boxOfShape([30, 30, 30]);
  for (let trial = 0; trial < 100; trial++) {
    const piece = { lower: [5, 5, 5], upper: [5 + random.int(1, 7), 5 + random.int(1, 7), 5 + random.int(1, 12)] };
    const cells = piece.upper.reduce((a, hi) => a * (hi - 5), 1);
    const mask = Uint8Array.from({ length: cells }, () => (random.next() < 0.5 ? 1 : 0));
    const blocks = Array.from({ length: random.int(1, 9) }, () => random.int(0, cells));
    const options = { piece, box, neighbours: random.pick([6, 18, 26]) };
    expect(label(options, mask, blocks)).toEqual(label(options, mask));
  }
});

test('only faces inside the box are kept, as runs of rows', () => {
  const mask = Uint8Array.from([1, 1, 0, 0, 1, 0, 0, 1, 1, 0, 0, 1]);
  const piece = { lower: [0, 0], upper: [3, 4] };
  const whole = label({ piece, box: piece, neighbours: 4 }, mask);
  expect(whole).toMatchObject({ components: 2, labels: 0 });
  expect(whole.rows).toHaveLength(0);
  const below = label({ piece, box: boxOfShape([4, 4]), neighbours: 4 }, mask);
  expect([[...below.rows], [...below.starts], [...below.ends], [...below.runLabels]]).toEqual([
    [2, 2],
    [0, 3],
    [1, 4],
    [0, 1],
  ]);
  const beside = label({ piece, box: boxOfShape([3, 5]), neighbours: 4 }, mask);
  expect([[...beside.rows], [...beside.starts], beside.labels]).toEqual([[1, 2], [3, 3], 1]);
});

test('a piece without cells of interest, and one full of them', () => {
  const box = boxOfShape([2, 3]);
  expect(label({ piece: box, box, neighbours: 8 }, new Uint8Array(6)).components).toBe(0);
  expect(label({ piece: box, box, neighbours: 8 }, new Uint8Array(6).fill(1)).components).toBe(1);
});

test('rows and neighbourhoods by rank', () => {
  expect([rowShape([7]), rowShape([6, 7]), rowShape([5, 6, 7])]).toEqual([
    [1, 1, 7],
    [1, 6, 7],
    [5, 6, 7],
  ]);
  expect([2, 4, 8, 6, 18, 26].map((n) => previousRows(n).length)).toEqual([0, 1, 1, 2, 4, 4]);
});
