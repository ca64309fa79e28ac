import { getRandomValues } from 'node:crypto';
import { ulid } from 'ulid';

/** Random bytes are had from the system in blocks: one call for each of a ULID's characters costs more than a small put. */
const pool = new Uint32Array(1024);
let used = pool.length;

function random(): number {
  if (used === pool.length) {
    getRandomValues(pool);
    used = 0;
  }
  return (pool[used++] ?? 0) / 2 ** 32;
}

/** A fresh id for a put. */
export function newPutId(): string {
  return ulid(undefined, random);
}
