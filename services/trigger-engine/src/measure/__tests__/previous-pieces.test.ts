import { expect, it } from '@jest/globals';
import { type Box, contains, formatBox, intersects, parseBox, tile, volume } from '@tidegate/geometry';
import type { PartitionId, Piece, RawId } from '@tidegate/protocol';
import { seededRandom } from '@tidegate/testing';
import { withPrevious } from '../previous-pieces.js';

const DOMAIN = parseBox('0:24,0:20');

function randomTiling(random: () => number, raw: string): Piece[] {
  const corner = (size: number) => Math.floor(random() * size);
  const boxes: { readonly box: Box }[] = [{ box: DOMAIN }];
  for (let n = 0; n < 12; n++) {
    const lower = [corner(24), corner(20)];
    const upper = lower.map((value, axis) => value + 1 + corner((axis === 0 ? 24 : 20) - value));
    boxes.unshift({ box: { lower, upper } });
  }
  return tile(DOMAIN, boxes).pieces.map(({ box }, n) => ({
    id: `${raw}${n}` as PartitionId,
    box: formatBox(box),
    raw: raw as RawId,
    tier: 'memory',
    bytes: 0,
  }));
}

it('tiles every piece with parts of the earlier step, whatever the two tilings', () => {
  const random = seededRandom(7);
  for (let n = 0; n < 50; n++) {
    const pieces = randomTiling(() => random.next(), 'now');
    const previous = randomTiling(() => random.next(), 'then');
    const byId = new Map(previous.map((piece) => [piece.id, parseBox(piece.box)]));
    const paired = withPrevious(pieces, previous);
    expect(paired.map(({ id, box, raw }) => ({ id, box, raw }))).toEqual(
      pieces.map(({ id, box, raw }) => ({ id, box, raw })),
    );
    for (const { box, previous: parts = [] } of paired) {
      const boxes = parts.map((part) => parseBox(part.box));
      expect(boxes.reduce((sum, part) => sum + volume(part), 0)).toBe(volume(parseBox(box)));
      for (const [at, part] of boxes.entries()) {
        expect(contains(parseBox(box), part)).toBe(true);
        expect(contains(byId.get(parts[at]?.id as PartitionId) ?? DOMAIN, part)).toBe(true);
        expect(boxes.slice(at + 1).some((other) => intersects(part, other))).toBe(false);
      }
    }
  }
});

it('pairs equal cuts one to one', () => {
  const random = seededRandom(3);
  const pieces = randomTiling(() => random.next(), 'now');
  const previous = pieces.map((piece) => ({ ...piece, id: `old-${piece.id}` as PartitionId }));
  expect(withPrevious(pieces, previous).map(({ previous: parts }) => parts?.map(({ id }) => id))).toEqual(
    previous.map(({ id }) => [id]),
  );
});
