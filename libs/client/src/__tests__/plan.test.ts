import { describe, expect, it } from '@jest/globals';
import { type Box, createShardMap, formatBox, intersects, parseBox, volume } from '@tidegate/geometry';
import type { PartitionId, Piece, RawId } from '@tidegate/protocol';
import { halves, joinMissing, joinPieces } from '../plan.js';

function piece(id: string, box: string, raw = 'a'): Piece {
  return { id: id as PartitionId, box, raw: raw as RawId, tier: 'memory', bytes: 64 };
}

function cells(boxes: readonly Box[]): Set<string> {
  const painted = new Set<string>();
  for (const { lower, upper } of boxes) {
    for (let i = lower[0] ?? 0; i < (upper[0] ?? 0); i++)
      for (let j = lower[1] ?? 0; j < (upper[1] ?? 0); j++) painted.add(`${i},${j}`);
  }
  return painted;
}

describe('joinPieces', () => {
  it('reads a partition once that several shards told parts of', () => {
    const map = createShardMap({ shape: [64, 64], shards: 16 });
    const whole = parseBox('3:61,5:59');
    const told = map
      .shardsOf(whole)
      .flatMap((shard) => map.clip(whole, shard).map((box) => piece('p', formatBox(box))));
    expect(told.length).toBeGreaterThanOrEqual(16);
    expect(joinPieces(told)).toEqual([{ ...piece('p', ''), box: whole }]);
  });

  it('keeps the union and disjointness where the parts make no box', () => {
    const parts = ['0:2,0:1', '0:1,1:3', '1:3,2:3', '2:3,0:2'];
    const joined = joinPieces(parts.map((box) => piece('ring', box))).map(({ box }) => box);
    expect(cells(joined)).toEqual(cells(parts.map(parseBox)));
    expect(joined.reduce((sum, box) => sum + volume(box), 0)).toBe(8);
    for (const [at, box] of joined.entries())
      for (const other of joined.slice(at + 1)) expect(intersects(box, other)).toBe(false);
  });

  it('keeps partitions and raw-services apart', () => {
    const joined = joinPieces([piece('p', '0:1,0:1'), piece('q', '0:1,1:2'), piece('p', '1:2,0:1', 'b')]);
    expect(joined.map(({ id, raw }) => `${id}@${raw}`)).toEqual(['p@a', 'q@a', 'p@b']);
  });

  it('takes an opaque partition, told whole by each shard, once', () => {
    expect(joinPieces([piece('p', '0:4,0:4'), piece('p', '0:4,0:4'), piece('p', '0:4,0:4')])).toHaveLength(1);
  });
});

describe('joinMissing', () => {
  it('joins what shards miss and counts what they did not list', () => {
    const joined = joinMissing([
      { missing: ['0:4,0:4'], missingCount: 1 },
      { missing: ['0:4,4:8'], missingCount: 3 },
    ]);
    expect(joined).toEqual({ missing: ['0:4,0:8'], missingCount: 3 });
  });

  it('lists at most 64 boxes', () => {
    const missing = Array.from({ length: 100 }, (_, at) => `${2 * at}:${2 * at + 1}`);
    const joined = joinMissing([{ missing, missingCount: 100 }]);
    expect(joined.missing).toHaveLength(64);
    expect(joined.missingCount).toBe(100);
  });

  it('is empty for shards that miss nothing', () => {
    expect(joinMissing([{ missing: [], missingCount: 0 }])).toEqual({ missing: [], missingCount: 0 });
  });
});

describe('halves', () => {
  it('cuts the longest dimension', () => {
    expect(halves(parseBox('0:4,10:19'))?.map(formatBox)).toEqual(['0:4,10:14', '0:4,14:19']);
  });

  it('has no halves of a cell', () => {
    expect(halves(parseBox('3:4,5:6'))).toBeUndefined();
  });
});
