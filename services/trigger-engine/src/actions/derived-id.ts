import { createHash } from 'node:crypto';
import type { PartitionId } from '@tidegate/protocol';
import { encodeTime } from 'ulid';

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const TIME_LENGTH = 10;
const RANDOM_BYTES = 10;

/**
 * The id of what an action derives of one box: the same however often the action is done, so that it is stored once.
 *
 * @param time of the decision, milliseconds since 1970
 */
export function derivedId({
  time,
  actionId,
  box,
}: {
  readonly time: number;
  readonly actionId: string;
  readonly box: string;
}): PartitionId {
  const hash = createHash('sha256').update(`${actionId} ${box}`).digest().subarray(0, RANDOM_BYTES);
  let text = encodeTime(time, TIME_LENGTH);
  let bits = 0;
  let value = 0;
  for (const byte of hash) {
    value = (value << 8) | byte;
    bits += 8;
    for (; bits >= 5; bits -= 5) text += ALPHABET[(value >> (bits - 5)) & 31];
    value &= (1 << bits) - 1;
  }
  return text as PartitionId;
}
