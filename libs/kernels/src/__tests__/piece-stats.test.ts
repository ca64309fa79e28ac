import { expect, test } from '@jest/globals';
import { KernelInstance } from '../kernel-instance.js';
import { StatsTally } from '../piece-stats.js';

const kernels = new KernelInstance();

/** The statistics of float64 blocks. */
function tally(blocks: readonly (readonly number[])[], level: 'extrema' | 'sums' | 'moments', positions = true) {
  const session = kernels.session('float64', 0);
  const stats = new StatsTally(session, { dtype: 'float64', level, positions });
  for (const block of blocks) {
    new Float64Array(session.cells.buffer, session.cells.byteOffset, block.length).set(block);
    stats.add(block.length);
  }
  return stats.finish();
}

test('positions count through the blocks; of equal cells the first one stands', () => {
  const { extrema } = tally([[5, 1, Number.NaN], [1, 7], [7, 0], [0]], 'extrema');
  expect(extrema).toEqual({ min: 0, max: 7, minAt: 6, maxAt: 4 });
  expect(tally([[3]], 'sums', false).extrema).toEqual({ min: 3, max: 3, minAt: -1, maxAt: -1 });
});

test('cells that are not finite are counted apart, and left out of the moments', () => {
  const blocks = [[Number.NaN, Number.NaN], [Infinity], [2, -Infinity, 4], [Number.NaN, 9]];
  const stats = tally(blocks, 'moments');
  expect(stats).toMatchObject({ nan: 3, infinite: 2, extrema: { min: -Infinity, max: Infinity, minAt: 4, maxAt: 2 } });
  expect(stats.moments).toMatchObject({ count: 3, sum: { high: 15 }, spread: { high: 26 } });
  expect(tally(blocks, 'sums').moments).toMatchObject({ count: 3, sum: { high: 15 } });
});

test('without a number there are no extrema', () => {
  expect(tally([[Number.NaN], [Number.NaN]], 'moments')).toMatchObject({
    nan: 2,
    extrema: undefined,
    moments: { count: 0 },
  });
});
