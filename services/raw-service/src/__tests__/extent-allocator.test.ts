import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Extent, ExtentAllocator, roundedBytes } from '../extent-allocator.js';

const UNIT = 64;

/** One flag per 64 bytes of every segment. */
class Bitmap {
  readonly segments: Uint8Array[];

  constructor(sizes: readonly number[]) {
    this.segments = sizes.map((size) => new Uint8Array(Math.floor(size / UNIT)));
  }

  /** False if a unit lies outside or has the value already. */
  fill(extents: readonly Extent[], value: 0 | 1): boolean {
    let clean = true;
    for (const { segment, offset, length } of extents) {
      const units = this.segments[segment]?.subarray(offset / UNIT, (offset + length) / UNIT) ?? new Uint8Array();
      clean &&= units.length === length / UNIT && !units.includes(value);
      units.fill(value);
    }
    return clean;
  }

  get freeBytes(): number {
    return this.segments.reduce((sum, flags) => sum + flags.filter((flag) => flag === 0).length, 0) * UNIT;
  }

  /** Lengths of the holes. */
  holes(): number[] {
    return this.segments.flatMap((flags) =>
      flags
        .join('')
        .split('1')
        .filter((hole) => hole !== '')
        .map((hole) => hole.length * UNIT),
    );
  }
}

const total = (extents: readonly Extent[]) => extents.reduce((sum, { length }) => sum + length, 0);

describe('ExtentAllocator', () => {
  test('agrees with a bitmap, refuses only what does not fit, scatters only where nothing contiguous is left', () => {
    const sizes = [128 * 1024, 128 * 1024, 70_000];
    const operation = fc.oneof(
      fc.record({ kind: fc.constant('allocate' as const), value: fc.integer({ min: 1, max: 20_000 }) }),
      fc.record({ kind: fc.constant('allocate' as const), value: fc.integer({ min: 60_000, max: 140_000 }) }),
      fc.record({ kind: fc.constant('free' as const), value: fc.nat() }),
    );
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
        const allocator = new ExtentAllocator(sizes);
        const bitmap = new Bitmap(sizes);
        const live: Extent[][] = [];
        for (const { kind, value } of operations) {
          if (kind === 'allocate') {
            const need = roundedBytes(value);
            const holes = bitmap.holes();
            const extents = allocator.allocate(value);
            expect(extents !== undefined).toBe(need <= bitmap.freeBytes);
            if (extents === undefined) continue;
            expect(total(extents)).toBe(need);
            expect(bitmap.fill(extents, 1)).toBe(true);
            expect(extents.length > 1).toBe(Math.max(...holes) < need);
            expect(extents.every(({ offset }) => offset % UNIT === 0)).toBe(true);
            live.push(extents);
          } else if (live.length > 0) {
            const [extents = []] = live.splice(value % live.length, 1);
            allocator.free(extents);
            expect(bitmap.fill(extents, 0)).toBe(true);
          }
          expect(allocator.freeBytes).toBe(bitmap.freeBytes);
          expect(allocator.usedBytes + allocator.freeBytes).toBe(allocator.totalBytes);
        }
        for (const extents of live) allocator.free(extents);
        // Coalesced again: a whole segment is one extent.
        expect(allocator.allocate(128 * 1024)).toHaveLength(1);
        expect(allocator.allocate(128 * 1024)).toHaveLength(1);
      }),
    );
  });

  test('takes the smallest hole that fits', () => {
    const allocator = new ExtentAllocator([64 * 100]);
    const parts = Array.from({ length: 100 }, () => allocator.allocate(64) ?? []);
    const place = (extents: readonly Extent[]) => extents[0]?.offset ?? -1;
    const at = (offset: number) => parts.find((extents) => place(extents) === offset) ?? [];
    for (const unit of [10, 11, 12, 13, 30, 31, 50, 51, 52]) allocator.free(at(unit * 64));
    expect(allocator.allocate(128)).toEqual([{ segment: 0, offset: 30 * 64, length: 128 }]);
    expect(allocator.allocate(192)).toEqual([{ segment: 0, offset: 50 * 64, length: 192 }]);
    expect(allocator.allocate(256)).toEqual([{ segment: 0, offset: 10 * 64, length: 256 }]);
    expect(allocator.allocate(1)).toBeUndefined();
  });

  test('aligns large buffers to pages, whatever small ones stand between', () => {
    const allocator = new ExtentAllocator([8 << 20]);
    for (let i = 0; i < 40; i++) {
      expect(allocator.allocate(100 + i)).toHaveLength(1);
      const [large] = allocator.allocate(64 * 1024 + i) ?? [];
      expect((large?.offset ?? 1) % 4096).toBe(0);
      expect((large?.length ?? 1) % 4096).toBe(0);
    }
  });

  test('no bytes take no room', () => {
    const allocator = new ExtentAllocator([4096]);
    expect(allocator.allocate(0)).toEqual([]);
    expect(allocator.usedBytes).toBe(0);
  });

  test('claims what recovery found, all or nothing', () => {
    const allocator = new ExtentAllocator([4096, 4096]);
    const taken = { segment: 1, offset: 1024, length: 1024 };
    allocator.claim([taken, { segment: 0, offset: 0, length: 64 }]);
    expect(allocator.usedBytes).toBe(1088);
    for (const overlap of [
      { segment: 1, offset: 960, length: 128 },
      { segment: 1, offset: 1984, length: 128 },
      { segment: 1, offset: 1088, length: 64 },
      { segment: 1, offset: 0, length: 4096 },
    ]) {
      expect(() => allocator.claim([{ segment: 0, offset: 64, length: 64 }, overlap])).toThrow(/a part is taken/);
      expect(allocator.usedBytes).toBe(1088);
    }
    for (const outside of [
      { segment: 2, offset: 0, length: 64 },
      { segment: 0, offset: 4032, length: 128 },
      { segment: 0, offset: -64, length: 64 },
      { segment: 0, offset: 65, length: 64 },
      { segment: 0, offset: 64, length: 0 },
    ]) {
      expect(() => allocator.claim([outside])).toThrow(RangeError);
    }
    allocator.free([taken]);
    allocator.claim([{ segment: 1, offset: 0, length: 4096 }]);
  });

  test('refuses to free what is free, and keeps what it had', () => {
    const allocator = new ExtentAllocator([4096]);
    const first = allocator.allocate(64) ?? [];
    const second = allocator.allocate(64) ?? [];
    allocator.free(first);
    expect(() => allocator.free([...second, ...first])).toThrow(/a part is free/);
    expect(allocator.usedBytes).toBe(64);
    allocator.free(second);
    expect(() => allocator.free(second)).toThrow(/a part is free/);
    expect(allocator.usedBytes).toBe(0);
  });

  test('stays fast with a hundred thousand holes', () => {
    const units = 200_000;
    const allocator = new ExtentAllocator([units * UNIT]);
    const parts = Array.from({ length: units }, () => allocator.allocate(UNIT) ?? []);
    for (let i = 0; i < units; i += 2) allocator.free(parts[i] ?? []);
    const start = performance.now();
    for (let i = 0; i < 10_000; i++) allocator.free(allocator.allocate(UNIT) ?? []);
    expect((performance.now() - start) / 10_000).toBeLessThan(0.2);
    const scattered = allocator.allocate(1000 * UNIT);
    expect(scattered).toHaveLength(1000);
  });
});
