import type { Incoming, Outgoing } from '@tidegate/bus';
import { BadRequestError, type PartitionId } from '@tidegate/protocol';

const utf8 = new TextDecoder();
const toUtf8 = new TextEncoder();

/** The map in a request of another service. @throws BadRequestError */
export function jsonBody<T>(request: Pick<Incoming, 'data'>): Partial<T> {
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(request.data));
  } catch (cause) {
    throw new BadRequestError('body', `expected JSON, got ${request.data.length} bytes that are none`, { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new BadRequestError('body', 'expected a map');
  return value as Partial<T>;
}

/** A reply to another service. */
export function jsonReply(value: unknown): Outgoing {
  return { data: toUtf8.encode(JSON.stringify(value)) };
}

/** A list of ids in a request. @throws BadRequestError */
export function idList(ids: unknown): readonly PartitionId[] {
  if (!Array.isArray(ids) || !ids.every((id) => typeof id === 'string'))
    throw new BadRequestError('ids', 'expected a list of ids');
  return ids as PartitionId[];
}
