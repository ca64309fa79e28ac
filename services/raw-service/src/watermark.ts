import type { StorageState } from '@tidegate/protocol';
/** How full a store is, in rising order. */
export type Level = 'ok' | 'nearfull' | 'full';

/** Shares of the limit at which a level is entered, and below which it is left again. */
export const WATERMARKS = { nearfull: 0.85, nearfullBack: 0.8, full: 0.95, fullBack: 0.9 } as const;

/** Bytes that payloads may take of a limit: what is above is a reserve. */
export function fullMark(limit: number): number {
  return Math.floor(limit * WATERMARKS.full);
}

/**
 * The level that follows from the standing one: with hysteresis, so that use that swings about a mark does not make
 * the level swing too.
 *
 * @param use.demand use that is asked for, where it is more: a store is full when what waits at its door does not fit
 */
export function nextLevel(level: Level, use: { used: number; limit: number; demand?: number }): Level {
  const { used, limit } = use;
  const demand = Math.max(used, use.demand ?? 0);
  if (used >= limit * WATERMARKS.full || demand > fullMark(limit)) return 'full';
  if (level === 'full' && used >= limit * WATERMARKS.fullBack) return 'full';
  if (used >= limit * WATERMARKS.nearfull) return 'nearfull';
  return level !== 'ok' && used >= limit * WATERMARKS.nearfullBack ? 'nearfull' : 'ok';
}

const ORDER: readonly StorageState[] = ['ok', 'nearfull', 'full', 'critical'];

/** The worse of two states, or the higher of two levels. */
export function worse<S extends StorageState>(a: S, b: S): S {
  return ORDER.indexOf(a) > ORDER.indexOf(b) ? a : b;
}
