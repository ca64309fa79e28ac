import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { temporaryDirectory } from '@tidegate/testing';
import { mergeResults, type Results, readResults, writeResults } from '../results.js';

const small = { bytes: 1024, roundTrip: 0.2, p50: 0.5, p99: 1, roundTrips: 2.5 };
const earlier: Results = {
  date: '2026-01-01T00:00:00.000Z',
  machine: { cpu: 'a', cores: 2, memoryGiB: 8 },
  versions: { node: 'v24.1.0', nats: '2.15.2' },
  figures: { smallPut: [small], memory: [] },
};
const newer: Results = {
  ...earlier,
  date: '2026-02-02T00:00:00.000Z',
  figures: { smallPut: [{ ...small, p50: 0.4 }] },
};

test('figures that were not measured again stay', () => {
  expect(mergeResults(earlier, newer)).toEqual({ ...newer, figures: { ...newer.figures, memory: [] } });
  expect(mergeResults(undefined, newer)).toEqual(newer);
  const withoutNats = { ...newer, versions: { node: 'v24.1.0' } };
  expect(mergeResults(earlier, withoutNats).versions).toEqual(earlier.versions);
});

test.each([
  { ...newer, machine: { ...newer.machine, cpu: 'b' } },
  { ...newer, machine: { ...newer.machine, cores: 4 } },
  { ...newer, versions: { node: 'v26.0.0', nats: '2.15.2' } },
  { ...newer, versions: { node: 'v24.1.0', nats: '2.16.0' } },
])('but not those of another machine or version', (other) => {
  expect(mergeResults(earlier, other)).toEqual(other);
});

test('results are read as they were written', async () => {
  const folder = await temporaryDirectory('bench-results-');
  try {
    const path = join(folder.path, 'deep', 'results.json');
    expect(readResults(path)).toBeUndefined();
    writeResults(newer, path);
    expect(readResults(path)).toEqual(newer);
    writeFileSync(path, '{"date":"2026-01-01"}');
    expect(readResults(path)).toBeUndefined();
    writeFileSync(path, '{');
    expect(() => readResults(path)).toThrow(SyntaxError);
  } finally {
    await folder.remove();
  }
});
