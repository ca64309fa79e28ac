import { describe, expect, test } from '@jest/globals';
import { median, Tally } from '../tally.js';

describe('Tally', () => {
  test('stands at the slowest writer', () => {
    const tally = new Tally(2);
    expect(tally.standing()).toEqual({ written: 0, read: 0, done: 0 });
    const report = { putBytes: 10, putMs: 4, putsMs: [3, 4], haloBytes: 5 };
    tally.addWriter(0, { step: 0, ...report });
    tally.addWriter(0, { step: 1, ...report });
    tally.addWriter(0, { step: 2, ...report });
    expect(tally.standing()).toEqual({ written: 0, read: 0, done: 3 });
    tally.addWriter(1, { step: 0, ...report });
    tally.addWriter(1, { step: 1, ...report });
    tally.addReader({ step: 0, getBytes: 7, getMs: 2, getsMs: [1, 2, 9] });
    expect(tally.standing()).toEqual({ written: 1, read: 0, done: 6 });
  });

  test('goes back to a step that the run is rolled back to', () => {
    const tally = new Tally(2);
    const report = { putBytes: 10, putMs: 4, putsMs: [3, 4], haloBytes: 5 };
    for (const step of [0, 1, 2, 3]) tally.addWriter(0, { step, ...report });
    for (const step of [0, 1, 2]) tally.addWriter(1, { step, ...report });
    expect(tally.lastRead).toBe(-1);
    tally.addReader({ step: 0, getBytes: 7, getMs: 2, getsMs: [1] });
    tally.rewind(2);
    expect(tally.standing()).toEqual({ written: 2, read: 0, done: 7 });
    tally.addReader({ step: 1, getBytes: 7, getMs: 2, getsMs: [1] });
    tally.rewind(0);
    expect(tally.lastRead).toBe(0);
    expect(tally.standing()).toEqual({ written: 0, read: 0, done: 3 });
    expect(tally.totals()).toMatchObject({ puts: 14, gets: 2 });
  });

  test('adds up', () => {
    const tally = new Tally(1);
    tally.addWriter(0, { step: 0, putBytes: 10, putMs: 4, putsMs: [3, 4], haloBytes: 0 });
    tally.addWriter(0, { step: 1, putBytes: 20, putMs: 5, putsMs: [5, 1], haloBytes: 6 });
    tally.addReader({ step: 0, getBytes: 7, getMs: 2, getsMs: [1, 2, 9] });
    expect(tally.totals()).toEqual({
      ...{ puts: 4, putBytes: 30, putMs: 9, putP50Ms: 3, haloBytes: 6 },
      ...{ gets: 3, getBytes: 7, getMs: 2, getP50Ms: 2 },
    });
  });
});

test('the median is the middle by value, not by text', () => {
  expect(median([10, 9, 100])).toBe(10);
  expect(median([4, 1, 3, 2])).toBe(2);
  expect(median([])).toBeNaN();
});
