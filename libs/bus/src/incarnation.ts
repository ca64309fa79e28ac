import { ulid } from 'ulid';

/** Incarnation of this process: a ULID that another start of the same service does not share. */
export const INCARNATION: string = ulid();

/** A new incarnation, for several services that one process runs. */
export function newIncarnation(): string {
  return ulid();
}
