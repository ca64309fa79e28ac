/** Neighbours of a cell by rank: those that share a face, those that share an edge too, those that share a corner too. */
const NEIGHBOURS: Readonly<Record<number, readonly number[]>> = { 1: [2], 2: [4, 8], 3: [6, 18, 26] };

/** The highest rank in which components are labelled. */
export const MAX_COMPONENT_RANK = 3;

/** The neighbourhoods of a rank, smallest first; none above `MAX_COMPONENT_RANK`. */
export function neighbourhoods(rank: number): readonly number[] {
  return NEIGHBOURS[rank] ?? [];
}

/**
 * The number of neighbours that `connectivity` comes to in `rank` dimensions. A number of a higher rank means the same
 * neighbourhood of a domain that is one cell thick: 6 in two dimensions is 4. Without one, neighbours share a face.
 * Undefined where there is no such neighbourhood.
 */
export function neighbourCount(connectivity: number | undefined, rank: number): number | undefined {
  const own = neighbourhoods(rank);
  if (connectivity === undefined) return own[0];
  if (own.includes(connectivity)) return connectivity;
  for (let higher = rank + 1; higher <= MAX_COMPONENT_RANK; higher++) {
    const at = neighbourhoods(higher).indexOf(connectivity);
    if (at >= 0) return own[Math.min(at, own.length - 1)];
  }
  return undefined;
}
