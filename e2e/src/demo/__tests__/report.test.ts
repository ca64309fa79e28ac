import { describe, expect, test } from '@jest/globals';
import { figures, verdict } from '../report.js';
import type { Outcome } from '../stage.js';

const outcome: Outcome = {
  simulation: { shape: [384, 384], steps: 10, substeps: 25, writers: 4, seed: 1, window: 6 },
  totals: {
    ...{ puts: 88, putBytes: 50 * 2 ** 20, putMs: 500, putP50Ms: 2.34, haloBytes: 1536 },
    ...{ gets: 60, getBytes: 30 * 2 ** 20, getMs: 100, getP50Ms: 1 },
  },
  elapsedMs: 12_345,
  spilledSteps: 5,
  peakMemoryBytes: 14 * 2 ** 20,
  checks: [
    { step: 1, tier: 'disk', equal: true, differing: 0 },
    { step: 10, tier: 'memory', equal: true, differing: 0 },
  ],
  triggers: { tallies: [], pictured: [], caught: [] },
};
const volume: Outcome = { ...outcome, simulation: { ...outcome.simulation, shape: [48, 48, 48] } };

describe('figures', () => {
  const lines = figures([outcome, volume]);

  test.each([
    ['staged steps', '11'],
    ['run time', '12.3 s'],
    ['bytes put', '50.0 MiB'],
    ['put rate of a writer', '100 MiB/s'],
    ['put, p50', '2.3 ms'],
    ['get rate of the reader', '300 MiB/s'],
    ['steps spilled to disk', '5'],
    ['memory tier, peak', '14.0 MiB'],
  ])('tells the %s', (name, value) => {
    const line = lines.find((text) => text.startsWith(name));
    expect(line?.slice(name.length).trim().split(/ {2,}/)).toEqual([value, value]);
  });

  test('has its columns aligned on the right', () => {
    expect(new Set(lines.map((line) => line.length)).size).toBe(1);
    expect(lines[0]?.trim().split(/ {2,}/)).toEqual(['2-D 384x384', '3-D 48x48x48']);
  });
});

describe('verdict', () => {
  test('is yes where every compared step is the same', () => {
    const { lines, passed } = verdict([outcome, volume]);
    expect(passed).toBe(true);
    expect(lines[0]).toBe('2-D 384x384: compared U and V of step 1 (from disk), U and V of step 10 (from memory)');
    expect(lines.slice(-2)).toEqual([
      'assembled field equals the serial run bit for bit: yes',
      'no error to catch and none caught: yes',
    ]);
  });

  test('is no where one cell of one step differs', () => {
    const checks = [{ step: 10, tier: 'memory' as const, equal: false, differing: 1 }];
    const { lines, passed } = verdict([outcome, { ...volume, checks }]);
    expect(passed).toBe(false);
    expect(lines[1]).toContain('differing values: 1');
    expect(lines.at(-2)).toBe('assembled field equals the serial run bit for bit: no');
  });

  test('is no where an error was not caught, or caught where there was none', () => {
    const error = { index: 7, bit: 53, before: 0.3, after: 1.2, cell: [0, 7], step: 6, writer: 2 };
    const catching = { step: 6, toStep: 5, epoch: 1, value: 0.9 };
    const told = (triggers: Partial<Outcome['triggers']>) =>
      verdict([{ ...outcome, triggers: { ...outcome.triggers, ...triggers } }, volume]);
    expect(told({ injected: error, caught: [catching] })).toMatchObject({ passed: true });
    expect(told({ injected: error, caught: [catching] }).lines.at(-1)).toBe(
      'the silent error was caught, and nothing else: yes',
    );
    for (const triggers of [
      { injected: error },
      { injected: error, caught: [{ ...catching, step: 8 }] },
      { injected: error, caught: [catching, { ...catching, step: 8 }] },
      { caught: [catching] },
    ]) {
      expect(told(triggers).passed).toBe(false);
      expect(told(triggers).lines.at(-1)).toMatch(/: no$/);
    }
  });

  test('is no where nothing was compared', () => {
    expect(verdict([{ ...outcome, checks: [] }]).passed).toBe(false);
  });
});
