import { expect, test } from '@jest/globals';
import { type Box, boxOfShape } from '@tidegate/geometry';
import { type SeededRandom, seededRandom } from '@tidegate/testing';
import { type Field, fieldOf, randomTiling, runChecks } from './fields.js';

/** Counts components by flooding from each cell in turn: nothing in common with labelling by runs. */
function floodCount(shape: readonly number[], cells: readonly number[], neighbours: number): number {
  const rank = shape.length;
  const steps: number[][] = [];
  for (let code = 0; code < 3 ** rank; code++) {
    const step = shape.map((_, d) => (Math.floor(code / 3 ** d) % 3) - 1);
    const moved = step.filter((x) => x !== 0).length;
    const reach = { 2: 1, 4: 1, 8: 2, 6: 1, 18: 2, 26: 3 }[neighbours] as number;
    if (moved >= 1 && moved <= reach) steps.push(step);
  }
  const index = (at: readonly number[]) => at.reduce((a, x, d) => a * (shape[d] as number) + x, 0);
  const seen = new Set<number>();
  let count = 0;
  const walk = (at: readonly number[], d: number): void => {
    if (d < rank) {
      for (let x = 0; x < (shape[d] as number); x++) walk([...at, x], d + 1);
      return;
    }
    if (cells[index(at)] !== 1 || seen.has(index(at))) return;
    count++;
    const queue = [at];
    seen.add(index(at));
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      for (const step of steps) {
        const to = next.map((x, i) => x + (step[i] as number));
        if (to.some((x, i) => x < 0 || x >= (shape[i] as number))) continue;
        if (cells[index(to)] !== 1 || seen.has(index(to))) continue;
        seen.add(index(to));
        queue.push(to);
      }
    }
  };
  walk([], 0);
  return count;
}

const NEIGHBOURHOODS: Readonly<Record<number, readonly number[]>> = { 1: [2], 2: [4, 8], 3: [6, 18, 26] };

interface Case {
  readonly field: Field;
  readonly cells: readonly number[];
  readonly shape: readonly number[];
}

/** Noise of any density, or blobs with holes. */
function randomCase(random: SeededRandom, rank: number, most: number): Case {
  const shape = Array.from({ length: rank }, () => random.int(1, most));
  const lower = shape.map(() => random.int(0, 4));
  const box: Box = { lower, upper: shape.map((n, d) => n + (lower[d] as number)) };
  const density = random.pick([0.1, 0.3, 0.5, 0.6, 0.9]);
  const size = boxOfShape(shape).upper.reduce((a, n) => a * n, 1);
  const cells = Array.from({ length: size }, () => (random.next() < density ? 1 : 0));
  return { shape, cells, field: fieldOf('float32', box, (at) => (cells[at] === 1 ? 2 : -1)) };
}

test.each([
  [1, 60, 40],
  [2, 24, 200],
  [3, 11, 200],
])('components in %i dimensions equal those of a flood fill, whatever the tiling', (rank, most, trials) => {
  const random = seededRandom(100 + rank);
  for (let trial = 0; trial < trials; trial++) {
    const { field, cells, shape } = randomCase(random, rank, most);
    const pieces = randomTiling(random, field.box, random.int(0, 16));
    for (const connectivity of NEIGHBOURHOODS[rank] ?? []) {
      const { values, parts } = runChecks({ n: { components: { above: 0.5, connectivity } } }, { field, pieces });
      expect(values.get('n')).toBe(floodCount(shape, cells, connectivity));
      expect(parts).toHaveLength(pieces.length);
    }
  }
});

test('a spiral through all pieces is one component, its cells alone are many', () => {
  const rows = ['#######', '......#', '#####.#', '#...#.#', '#.###.#', '#.....#', '#######'];
  const cells = rows.flatMap((row) => [...row].map((c) => (c === '#' ? 1 : 0)));
  const field = fieldOf('uint8', boxOfShape([7, 7]), (at) => cells[at] as number);
  const pieces: Box[] = [];
  for (let y = 0; y < 7; y++) for (let x = 0; x < 7; x++) pieces.push({ lower: [y, x], upper: [y + 1, x + 1] });
  const { values, parts } = runChecks({ n: { components: { above: 0 } } }, { field, pieces });
  expect(values.get('n')).toBe(1);
  expect(parts.filter((part) => part.values.get('n') === 1)).toHaveLength(cells.filter((x) => x === 1).length);
});

test('a checkerboard touches at corners only', () => {
  const field = fieldOf('int16', boxOfShape([20, 31]), (at) => (Math.floor(at / 31) + (at % 31)) % 2);
  const pieces = randomTiling(seededRandom(1), field.box, 12);
  const count = (connectivity: number) =>
    runChecks({ n: { components: { above: 0, below: 2, connectivity } } }, { field, pieces }).values.get('n');
  expect([count(4), count(8)]).toEqual([310, 1]);
});
