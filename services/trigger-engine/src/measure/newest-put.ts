import { decodeTime } from 'ulid';

/** When the newest of these partitions was put, by its id: milliseconds since 1970; 0 for none. */
export function newestPut(pieces: Iterable<{ readonly id: string }>): number {
  let newest = 0;
  for (const { id } of pieces) newest = Math.max(newest, decodeTime(id));
  return newest;
}
