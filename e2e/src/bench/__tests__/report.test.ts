import { expect, test } from '@jest/globals';
import { memoryTable, plainTable, smallPutTable, stagingTable } from '../report.js';

test('the table of staging shows rates and ratios, and Redis only where it ran', () => {
  const row = { bytes: 1 << 20, natsPut: 2, put: 4, putRatio: 0.5, natsGet: 4, get: 5, getRatio: 0.8 };
  const [header, line] = stagingTable([row]);
  expect(header?.trim().split(/ {2,}/)).toEqual([
    'size',
    'NATS put MB/s',
    'put MB/s',
    'ratio',
    'NATS get MB/s',
    'get MB/s',
    'ratio',
  ]);
  expect(line?.trim().split(/ {2,}/)).toEqual(['1.0 MiB', '524', '262', '0.50', '262', '210', '0.80']);
  expect(stagingTable([{ ...row, redisSet: 1, redisGet: 2 }])[1]).toMatch(/1049\s+524$/);
});

test('small puts are told in round trips, memory in bytes beyond the allowance', () => {
  const small = { bytes: 1024, roundTrip: 0.2, p50: 0.5, p99: 1, roundTrips: 2.5 };
  expect(smallPutTable([small])[1]?.trim().split(/ {2,}/)).toEqual(['1.0 KiB', '0.200', '0.500', '1.000', '2.50']);
  const memory = {
    service: 'raw',
    stagedBytes: 1 << 30,
    residentBytes: 1 << 27,
    segmentBytes: 1 << 30,
    perStagedByte: 1,
  };
  expect(memoryTable([memory])[1]?.split(/ {2,}/)).toEqual(['raw', '1.0 GiB', '1.0 GiB', '128.0 MiB', '1.000']);
});

test('other rows are shown by their keys', () => {
  expect(plainTable([])).toEqual([]);
  expect(plainTable([{ shape: [4, 4], rate: 0.12345, count: 12 }])).toEqual([
    'shape    rate  count',
    '4x4    0.1235     12',
  ]);
});
