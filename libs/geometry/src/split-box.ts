import { type Box, volume } from './box.js';

/**
 * Cuts a box into sub-boxes of at most `maxCells` cells, in row-major order, such that their packed row-major arrays,
 * one after the other, are exactly the packed row-major array of `box`. That way an array is sent in bounded messages
 * without rearranging it.
 * @throws RangeError unless `maxCells` is an integer of at least 1.
 */
export function splitBox(box: Box, maxCells: number): Box[] {
  if (!(maxCells >= 1) || !Number.isInteger(maxCells)) {
    throw new RangeError(`maxCells: expected an integer of at least 1, got ${maxCells}`);
  }
  if (volume(box) <= maxCells) return [box];
  const parts: Box[] = [];
  splitFrom(box, 0, maxCells, parts);
  return parts;
}

/** Splits along `dimension`; all slower dimensions of `box` are one index thick already. */
function splitFrom(box: Box, dimension: number, maxCells: number, parts: Box[]): void {
  let layer = 1;
  for (let d = dimension + 1; d < box.lower.length; d++) layer *= (box.upper[d] as number) - (box.lower[d] as number);
  const thickness = Math.max(1, Math.floor(maxCells / layer));
  const end = box.upper[dimension] as number;
  for (let at = box.lower[dimension] as number; at < end; at += thickness) {
    const lower = box.lower.slice();
    const upper = box.upper.slice();
    lower[dimension] = at;
    upper[dimension] = Math.min(at + thickness, end);
    if (layer > maxCells) splitFrom({ lower, upper }, dimension + 1, maxCells, parts);
    else parts.push({ lower, upper });
  }
}
