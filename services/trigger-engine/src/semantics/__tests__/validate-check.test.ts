import { describe, expect, test } from '@jest/globals';
import { DTYPES } from '@tidegate/array';
import { BadRequestError, REDUCTIONS, type Reduction } from '@tidegate/protocol';
import { type DataShape, validateCheck, validateTransform } from '../validate-check.js';

const SHAPE: DataShape = { dtype: 'float64', rank: 3 };
const WASM = { digest: `sha256:${'a'.repeat(64)}`, export: 'f' };
/** What each reduction needs. */
const NEEDED: Readonly<Partial<Record<Reduction, object>>> = {
  fraction: { above: 1 },
  histogram: { range: [0, 1] },
  entropy: { range: [0, 1] },
  quantile: { q: 0.5 },
  l2_diff: { against: 'previous' },
  linf_diff: { against: 'previous' },
};

function field(run: () => void): string | undefined {
  try {
    run();
  } catch (error) {
    if (error instanceof BadRequestError) return error.field;
    throw error;
  }
  return undefined;
}

describe('validateCheck', () => {
  test('every reduction takes what it needs, of every real dtype', () => {
    for (const reduce of REDUCTIONS) {
      for (const dtype of DTYPES) {
        const isReal = dtype !== 'bytes' && !dtype.startsWith('complex');
        const found = field(() => validateCheck('check.c', { reduce, ...NEEDED[reduce] }, { dtype, rank: 2 }));
        expect([reduce, dtype, found]).toEqual([reduce, dtype, isReal ? undefined : 'check.c.reduce']);
      }
    }
  });

  test('every reduction refuses what belongs to another', () => {
    const all = { bins: 4, range: [0, 1], q: 0.5, above: 1, below: 2, against: 'previous' } as const;
    const taken: Readonly<Partial<Record<Reduction, readonly string[]>>> = {
      count: ['above', 'below'],
      fraction: ['above', 'below'],
      histogram: ['bins', 'range'],
      entropy: ['bins', 'range'],
      quantile: ['q'],
      l2_diff: ['against'],
      linf_diff: ['against'],
    };
    for (const reduce of REDUCTIONS) {
      for (const [key, value] of Object.entries(all)) {
        const check = { reduce, ...NEEDED[reduce], [key]: value };
        const expected = taken[reduce]?.includes(key) ? undefined : `check.c.${key}`;
        expect([reduce, key, field(() => validateCheck('check.c', check, SHAPE))]).toEqual([reduce, key, expected]);
      }
    }
  });

  test('names what a reduction lacks', () => {
    const lacks = (reduce: Reduction) => field(() => validateCheck('check.c', { reduce }, SHAPE));
    expect(lacks('fraction')).toBe('check.c');
    expect(lacks('histogram')).toBe('check.c.range');
    expect(lacks('entropy')).toBe('check.c.range');
    expect(lacks('quantile')).toBe('check.c.q');
    expect(lacks('l2_diff')).toBe('check.c.against');
    expect(lacks('linf_diff')).toBe('check.c.against');
    expect(lacks('count')).toBeUndefined();
  });

  test('ranges and bounds leave something between them', () => {
    const of = (check: object) => field(() => validateCheck('check.c', check, SHAPE));
    expect(of({ reduce: 'histogram', range: [1, 1] })).toBe('check.c.range');
    expect(of({ reduce: 'entropy', range: [2, 1] })).toBe('check.c.range');
    expect(of({ reduce: 'count', above: 1, below: 1 })).toBe('check.c.below');
    expect(of({ reduce: 'fraction', above: 2, below: 1 })).toBe('check.c.below');
    expect(of({ reduce: 'fraction', above: 1, below: 2 })).toBeUndefined();
    expect(of({ components: {} })).toBe('check.c.components');
    expect(of({ components: { above: 2, below: 1 } })).toBe('check.c.components.below');
  });

  test('components have the neighbourhoods of their rank', () => {
    const of = (connectivity: number, rank: number) =>
      field(() => validateCheck('c', { components: { above: 1, connectivity } }, { dtype: 'float32', rank }));
    expect([6, 18, 26].map((connectivity) => of(connectivity, 3))).toEqual([undefined, undefined, undefined]);
    expect([4, 8, 6].map((connectivity) => of(connectivity, 2))).toEqual([undefined, undefined, undefined]);
    expect([of(4, 3), of(7, 2), of(5, 1)]).toEqual(Array(3).fill('c.components.connectivity'));
    expect(of(6, 4)).toBe('c.components');
    const shape = { dtype: 'complex64', rank: 2 } as const;
    expect(field(() => validateCheck('c', { components: { above: 1 } }, shape))).toBe('c.components');
  });

  test('limits, merge and parameters belong to their kind', () => {
    const of = (check: object, dtype: DataShape['dtype'] = 'float64') =>
      field(() => validateCheck('c', check, { dtype, rank: 2 }));
    expect(of({ reduce: 'max', limits: { ms: 1, pages: 1 } })).toBe('c.limits');
    expect(of({ call: { subject: 'a', timeoutMs: 1 }, merge: 'sum' })).toBe('c.merge');
    expect(of({ wasm: WASM, limits: { ms: 1, pages: 1 }, merge: 'sum' })).toBeUndefined();
    expect(of({ wasm: WASM, q: 0.5 })).toBe('c.q');
    expect(of({ call: { subject: 'a', timeoutMs: 1 }, above: 1 })).toBe('c.above');
    expect(of({ wasm: WASM }, 'complex128')).toBeUndefined();
    expect(of({ wasm: WASM }, 'bytes')).toBe('c.wasm');
    expect(of({ call: { subject: 'a', timeoutMs: 1 } }, 'bytes')).toBeUndefined();
  });
});

describe('validateTransform', () => {
  const of = (transform: object, shape: DataShape = { dtype: 'float64', rank: 2 }) =>
    field(() => {
      const lower = [0, 4, 0].slice(0, shape.rank);
      const upper = [8, 8, 8].slice(0, shape.rank);
      validateTransform('t', transform, { ...shape, box: { lower, upper } });
    });

  test('accepts what fits', () => {
    expect(of({ downsample: 2 })).toBeUndefined();
    expect(of({ downsample: 2 }, { dtype: 'complex64', rank: 2 })).toBeUndefined();
    expect(of({ threshold: { above: 1 } })).toBeUndefined();
    expect(of({ slice: { axis: 1, index: 4 } })).toBeUndefined();
    expect(of({ wasm: WASM, limits: { ms: 1, pages: 1 } })).toBeUndefined();
  });

  test('names what does not', () => {
    expect(of({ downsample: 2 }, { dtype: 'bytes', rank: 2 })).toBe('t');
    expect(of({ downsample: 2, limits: { ms: 1, pages: 1 } })).toBe('t.limits');
    expect(of({ threshold: {} })).toBe('t.threshold');
    expect(of({ threshold: { above: 2, below: 2 } })).toBe('t.threshold.below');
    expect(of({ threshold: { above: 1 } }, { dtype: 'complex64', rank: 2 })).toBe('t.threshold');
    expect(of({ slice: { axis: 2, index: 0 } })).toBe('t.slice.axis');
    expect(of({ slice: { axis: 1, index: 3 } })).toBe('t.slice.index');
    expect(of({ slice: { axis: 0, index: 8 } })).toBe('t.slice.index');
    expect(of({ slice: { axis: 0, index: 0 } }, { dtype: 'float64', rank: 1 })).toBe('t.slice');
  });
});
