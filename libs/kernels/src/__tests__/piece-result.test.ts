import { expect, test } from '@jest/globals';
import { boxOfShape } from '@tidegate/geometry';
import type { CheckDefinition } from '@tidegate/protocol';
import { seededRandom } from '@tidegate/testing';
import { ByteFormatError } from '../byte-stream.js';
import { planChecks } from '../check-plan.js';
import { runCheck } from '../check-task.js';
import { decodePieceResult, encodeBuiltIn, encodeOutcomes, type PieceResult, sparseCounts } from '../piece-result.js';
import { cut, fieldOf, tools } from './fields.js';

const digest = `sha256:${'0'.repeat(64)}`;
const checks: Record<string, CheckDefinition> = {
  argmin: { reduce: 'argmin' },
  std: { reduce: 'std' },
  above: { reduce: 'count', above: 3 },
  hist: { reduce: 'histogram', range: [0, 9], bins: 3 },
  q: { reduce: 'quantile', q: 0.5 },
  blobs: { components: { above: 4 } },
  linf: { reduce: 'linf_diff', against: 'previous' },
  user: { wasm: { digest, export: 'a' } },
  failed: { wasm: { digest, export: 'b' } },
};
const box = boxOfShape([6, 8]);
const piece = { lower: [1, 2], upper: [5, 8] };

function resultOf(dtype: 'float64' | 'int64' | 'uint8', hasPrevious: boolean) {
  const random = seededRandom(2);
  const field = fieldOf(dtype, box, () => (dtype === 'int64' ? BigInt(random.int(-9, 9)) : random.int(0, 9)));
  const { spec } = planChecks(checks, { dtype, box });
  const data = { box: piece, bytes: cut(field, piece) };
  const previous = hasPrevious ? { previous: [{ box, bytes: new Uint8Array(field.bytes.length) }] } : {};
  const builtIn = runCheck({ spec, piece, data, ...previous }, tools);
  const result: PieceResult = { ...builtIn, wasm: [[1.5, Infinity], { failure: 'the kernel trapped: oh' }] };
  const bytes = Buffer.concat([encodeBuiltIn(spec, builtIn), encodeOutcomes(result.wasm)]);
  return { spec, result, bytes };
}

test.each(['float64', 'int64', 'uint8'] as const)('a result of %s cells survives the wire', (dtype) => {
  for (const hasPrevious of [true, false]) {
    const { spec, result, bytes } = resultOf(dtype, hasPrevious);
    expect(decodePieceResult(spec, piece, bytes)).toEqual(result);
  }
});

test('bytes that are cut off, too many, or changed are refused or read as a result of the right form', () => {
  const { spec, bytes } = resultOf('float64', true);
  for (let length = 0; length < bytes.length; length++) {
    expect(() => decodePieceResult(spec, piece, bytes.subarray(0, length))).toThrow(ByteFormatError);
  }
  expect(() => decodePieceResult(spec, piece, Buffer.concat([bytes, Buffer.alloc(1)]))).toThrow(/1 bytes too many/);
  expect(() => decodePieceResult({ ...spec, round: 1 }, piece, bytes)).toThrow(/round 1, got round 0/);
  const random = seededRandom(3);
  let refused = 0;
  for (let trial = 0; trial < 2000; trial++) {
    const changed = Uint8Array.from(bytes);
    changed[random.int(0, bytes.length)] = random.int(0, 256);
    try {
      expect(decodePieceResult(spec, piece, changed).wasm).toHaveLength(2);
    } catch (error) {
      if (!(error instanceof ByteFormatError)) throw error;
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(100);
});

test('counters become the digits that occur', () => {
  const counters = new Uint32Array(65_536);
  counters[3] = 7;
  counters[65_535] = 1;
  const { digits, counts } = sparseCounts(counters);
  expect([[...digits], [...counts]]).toEqual([
    [3, 65_535],
    [7, 1],
  ]);
});
