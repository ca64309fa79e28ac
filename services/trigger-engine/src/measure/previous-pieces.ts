import { formatBox, intersect, parseBox } from '@tidegate/geometry';
import type { CheckPiece, Piece, PieceAddress } from '@tidegate/protocol';

/**
 * Pairs every piece of a step with the parts of an earlier step's pieces that together tile it.
 *
 * @param previous disjoint, and tiling the same box
 */
export function withPrevious(pieces: readonly Piece[], previous: readonly Piece[]): CheckPiece[] {
  // Producers mostly cut every step alike.
  const alike = new Map(previous.map((piece) => [piece.box, piece]));
  const boxes = previous.map((piece) => ({ piece, box: parseBox(piece.box) }));
  return pieces.map(({ id, box, raw }) => {
    const same = alike.get(box);
    if (same !== undefined) return { id, box, raw, previous: [addressOf(same)] };
    const target = parseBox(box);
    const parts: PieceAddress[] = [];
    for (const candidate of boxes) {
      const part = intersect(candidate.box, target);
      if (part !== undefined) parts.push({ ...addressOf(candidate.piece), box: formatBox(part) });
    }
    return { id, box, raw, previous: parts };
  });
}

/** The address of a piece, without what only a plan tells. */
export function addressOf({ id, box, raw }: PieceAddress): PieceAddress {
  return { id, box, raw };
}
