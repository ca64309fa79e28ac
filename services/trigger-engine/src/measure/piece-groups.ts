import type { PieceAddress, RawId } from '@tidegate/protocol';

/** Pieces that one request to a raw-service names. */
export interface PieceGroup<P> {
  readonly raw: RawId;
  readonly pieces: readonly P[];
}

/** Most pieces of a request. */
const GROUP_PIECES = 64;
/** Most addresses of a request, those of the previous step included: a message must hold them. */
const GROUP_ADDRESSES = 2048;

/** Pieces by the raw-service that holds them, in their order, in requests of a bounded size. */
export function groupPieces<P extends Pick<PieceAddress, 'raw'> & { readonly previous?: readonly unknown[] }>(
  pieces: readonly P[],
): PieceGroup<P>[] {
  const groups: PieceGroup<P>[] = [];
  const open = new Map<RawId, { readonly pieces: P[]; addresses: number }>();
  for (const piece of pieces) {
    const addresses = 1 + (piece.previous?.length ?? 0);
    let group = open.get(piece.raw);
    if (!group || group.pieces.length === GROUP_PIECES || group.addresses + addresses > GROUP_ADDRESSES) {
      group = { pieces: [], addresses: 0 };
      open.set(piece.raw, group);
      groups.push({ raw: piece.raw, pieces: group.pieces });
    }
    group.pieces.push(piece);
    group.addresses += addresses;
  }
  return groups;
}
