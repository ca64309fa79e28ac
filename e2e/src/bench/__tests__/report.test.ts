import { expect, test } from '@jest/globals';
import { tablesOf } from '../report.js';

test('the table of staging shows rates and ratios, and Redis only where it ran', () => {
  const row = { bytes: 1 << 20, natsPut: 2, put: 4, putRatio: 0.5, natsGet: 4, get: 5, getRatio: 0.8 };
  const [table] = tablesOf({ staging: [row] });
  expect(table?.head).toEqual(['size', 'NATS put', 'put', 'ratio', 'NATS get', 'get', 'ratio']);
  expect(table?.cells).toEqual([['1.0 MiB', '524', '262', '0.50', '262', '210', '0.80']]);
  const [withRedis] = tablesOf({ staging: [{ ...row, redisSet: 1, redisGet: 2 }] });
  expect(withRedis?.head.slice(-2)).toEqual(['Redis SET', 'Redis GET']);
  expect(withRedis?.cells[0]?.slice(-2)).toEqual(['1049', '524']);
});

test('small puts are told in round trips, memory in bytes beyond the allowance', () => {
  const small = { bytes: 1024, roundTrip: 0.2, p50: 0.5, p99: 1, roundTrips: 2.5 };
  const memory = {
    service: 'raw',
    stagedBytes: 1 << 30,
    residentBytes: 1 << 27,
    segmentBytes: 1 << 30,
    perStagedByte: 1,
  };
  const tables = tablesOf({ smallPut: [small], memory: [memory] });
  expect(tables.map(({ cells }) => cells)).toEqual([
    [['1.0 KiB', '0.20', '0.50', '1.00', '2.5']],
    [['raw', '1.0 GiB', '1.0 GiB', '128.0 MiB', '1.000']],
  ]);
});

test('only what was measured has a table', () => {
  expect(tablesOf({})).toEqual([]);
  expect(tablesOf({ locality: [], spill: [] }).map(({ title }) => title)).toEqual(['Disk tier', 'Locality']);
});
