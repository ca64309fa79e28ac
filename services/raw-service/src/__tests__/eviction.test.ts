import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type EvictionPolicy, planEviction } from '../eviction.js';
import { StepCatalog, seriesKey } from '../step-catalog.js';
import { sampleRecord } from './partition-samples.js';

const SPILL: EvictionPolicy = { window: 3, onEvict: 'spill', durability: 'memory' };
const DROP: EvictionPolicy = { ...SPILL, onEvict: 'drop' };
const BYTES = 16 * 16 * 8;
const NO_PINS = () => false;

interface Standing {
  readonly variable: string;
  readonly policy: EvictionPolicy | undefined;
  readonly floor: number | undefined;
  /** Steps in the order in which they came. */
  readonly memory: readonly number[];
  readonly disk?: readonly number[];
}

function catalogs(standing: readonly Standing[]) {
  return standing.map(({ variable, policy, floor, memory, disk = [] }) => {
    const key = seriesKey(variable, 'default');
    const held = new StepCatalog();
    for (const step of memory) held.add(sampleRecord({ variable, step }));
    const spilled = new StepCatalog();
    for (const step of disk) spilled.add(sampleRecord({ variable, step }));
    return { policy, floor, memory: [...held.groups(key)], disk: [...spilled.groups(key)] };
  });
}

const plan = (
  standing: readonly Standing[],
  pressureBytes = 0,
  isPinned: (v: string, r: string, s: number) => boolean = NO_PINS,
  isUndecided: (v: string, r: string, s: number) => boolean = NO_PINS,
) =>
  planEviction({ series: catalogs(standing), isPinned, isUndecided, pressureBytes }).map(
    ({ action, group }) => `${action} ${group.variable}${group.step}`,
  );

describe('planEviction', () => {
  test('moves what left its window, as the policy says', () => {
    const standing = [
      { variable: 'A', policy: SPILL, floor: 3, memory: [1, 2, 3, 4, 5] },
      { variable: 'B', policy: DROP, floor: 8, memory: [7, 8, 9, 10], disk: [5, 6, 9] },
      { variable: 'C', policy: SPILL, floor: undefined, memory: [1, 2] },
    ];
    expect(plan(standing)).toEqual(['spill A1', 'spill A2', 'drop B7', 'drop B5', 'drop B6']);
  });

  test('leaves pinned steps where they are, under pressure too', () => {
    const standing = [{ variable: 'B', policy: DROP, floor: 3, memory: [1, 2, 3, 4], disk: [0] }];
    const pinned = (_variable: string, _run: string, step: number) => step !== 2 && step !== 4;
    expect(plan(standing, 0, pinned)).toEqual(['drop B2']);
    expect(plan(standing, 100 * BYTES, pinned)).toEqual(['drop B2', 'spill B4']);
    expect(plan(standing, 100 * BYTES, () => true)).toEqual([]);
  });

  test('keeps what a trigger may still decide, and under pressure spills but never drops it', () => {
    const standing = [
      { variable: 'A', policy: SPILL, floor: 3, memory: [1, 2, 3] },
      { variable: 'B', policy: DROP, floor: 3, memory: [1, 2, 3], disk: [0] },
    ];
    const asked = new Set<number>();
    const undecided = (_variable: string, _run: string, step: number) => {
      asked.add(step);
      return step < 2;
    };
    expect(plan(standing, 0, NO_PINS, undecided)).toEqual(['spill A2', 'drop B2']);
    expect([...asked].sort()).toEqual([0, 1, 2]);
    expect(plan(standing, 4 * BYTES, NO_PINS, undecided)).toEqual(['spill A2', 'drop B2', 'spill A1', 'spill A3']);
    expect(plan(standing, 1e9, NO_PINS, undecided)).toEqual([
      'spill A2',
      'drop B2',
      'spill A1',
      'spill A3',
      'spill B1',
      'spill B3',
    ]);
    expect(plan(standing, 0, (_v, _r, step) => step === 2, undecided)).toEqual([]);
  });

  test('under pressure spills inside windows, oldest first, never drops, and no more than asked for', () => {
    const standing = [
      { variable: 'A', policy: DROP, floor: undefined, memory: [1, 2, 3] },
      { variable: 'B', policy: SPILL, floor: 8, memory: [7, 8, 9] },
    ];
    expect(plan(standing, BYTES)).toEqual(['spill B7']);
    expect(plan(standing, BYTES + 1)).toEqual(['spill B7', 'spill A1']);
    expect(plan(standing, 1e9)).toEqual(['spill B7', 'spill A1', 'spill A2', 'spill A3', 'spill B8', 'spill B9']);
  });

  test('keeps the order of steps although an old one came late', () => {
    const standing = [{ variable: 'A', policy: SPILL, floor: 3, memory: [2, 5, 4, 3, 1, 6] }];
    expect(plan(standing, 1e9)).toEqual(['spill A1', 'spill A2', 'spill A3', 'spill A4', 'spill A5', 'spill A6']);
  });

  test('without a declaration nothing is dropped, and only pressure moves it', () => {
    const standing = [{ variable: 'A', policy: undefined, floor: 5, memory: [1, 2], disk: [0] }];
    expect(plan(standing)).toEqual([]);
    expect(plan(standing, BYTES)).toEqual(['spill A1']);
  });

  test('holds its promises for any standing', () => {
    const steps = fc.uniqueArray(fc.nat({ max: 12 }), { maxLength: 8 });
    const standing = fc.uniqueArray(
      fc.record({
        variable: fc.constantFrom('A', 'B', 'C'),
        policy: fc.constantFrom(SPILL, DROP, undefined),
        floor: fc.option(fc.nat({ max: 12 }), { nil: undefined }),
        memory: steps,
        disk: steps,
      }),
      { selector: ({ variable }) => variable, maxLength: 3 },
    );
    const pins = fc.array(fc.nat({ max: 12 }), { maxLength: 4 });
    fc.assert(
      fc.property(standing, pins, pins, fc.nat({ max: 20 }), (standing, pins, open, pressure) => {
        const isUndecided = (_variable: string, _run: string, step: number) => open.includes(step);
        const isPinned = (_variable: string, _run: string, step: number) => pins.includes(step);
        const series = catalogs(standing);
        const evictions = planEviction({ series, isPinned, isUndecided, pressureBytes: pressure * BYTES });
        const isOutside = (variable: string, step: number) => {
          const { policy, floor } = standing.find((one) => one.variable === variable) ?? {};
          return policy !== undefined && step < (floor ?? -1) && !open.includes(step);
        };
        const places = evictions.map(({ action, group }) => ({
          action,
          group,
          out: isOutside(group.variable, group.step),
        }));
        for (const { action, group, out } of places) {
          expect(pins).not.toContain(group.step);
          const policy = standing.find(({ variable }) => variable === group.variable)?.policy;
          expect(action).toBe(out && policy?.onEvict === 'drop' ? 'drop' : 'spill');
        }
        const expected = series.flatMap(({ policy, memory, disk }) =>
          [...memory, ...(policy?.onEvict === 'drop' ? disk : [])].filter(
            ({ variable, step }) => isOutside(variable, step) && !isPinned('', '', step),
          ),
        );
        expect(new Set(places.filter(({ out }) => out).map(({ group }) => group))).toEqual(new Set(expected));
        expect(places.findIndex(({ out }) => !out)).toBe(places.some(({ out }) => !out) ? expected.length : -1);
        const freed = evictions.reduce((sum, { group }) => sum + group.bytes, 0);
        const all = series.flatMap(({ memory }) => memory).filter(({ step }) => !pins.includes(step));
        if (freed < pressure * BYTES)
          expect(all.every((group) => evictions.some((one) => one.group === group))).toBe(true);
      }),
    );
  });
});
