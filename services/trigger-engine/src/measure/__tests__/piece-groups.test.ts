import { expect, it } from '@jest/globals';
import type { RawId } from '@tidegate/protocol';
import fc from 'fast-check';
import { groupPieces } from '../piece-groups.js';

const piece = fc.record({
  raw: fc.constantFrom('a' as RawId, 'b' as RawId, 'c' as RawId),
  previous: fc.array(fc.constant(0), { maxLength: 900 }),
});

it('puts every piece into one group of its raw-service, in order and within the bounds', () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 200 }), (pieces) => {
      const groups = groupPieces(pieces);
      for (const { raw, pieces: members } of groups) {
        expect(members.every((member) => member.raw === raw)).toBe(true);
        expect(members.length).toBeGreaterThan(0);
        expect(members.length).toBeLessThanOrEqual(64);
        const addresses = members.reduce((sum, { previous }) => sum + 1 + previous.length, 0);
        expect(addresses <= 2048 || members.length === 1).toBe(true);
      }
      for (const raw of ['a', 'b', 'c']) {
        const members = groups.filter((group) => group.raw === raw).flatMap((group) => group.pieces);
        expect(members).toEqual(pieces.filter((candidate) => candidate.raw === raw));
      }
    }),
    { numRuns: 50 },
  );
});

it('needs one request for each raw-service of 64 pieces', () => {
  const pieces = Array.from({ length: 128 }, (_, n) => ({ raw: (n % 2 === 0 ? 'a' : 'b') as RawId }));
  expect(groupPieces(pieces).map(({ raw, pieces: { length } }) => [raw, length])).toEqual([
    ['a', 64],
    ['b', 64],
  ]);
});
