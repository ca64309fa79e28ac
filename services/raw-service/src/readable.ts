import { isOpaque } from '@tidegate/array';
import { type Box, contains, equals, formatBox } from '@tidegate/geometry';
import { BadRequestError, type PartitionRecord } from '@tidegate/protocol';

/** @throws BadRequestError unless `box` can be read from the partition */
export function assertReadable(record: PartitionRecord, box: Box): void {
  const readable = isOpaque(record.dtype) ? equals(record.box, box) : contains(record.box, box);
  if (readable) return;
  const expected = isOpaque(record.dtype) ? 'the whole box of an opaque partition,' : 'a box inside';
  throw new BadRequestError('box', `expected ${expected} ${formatBox(record.box)}, got ${formatBox(box)}`);
}

/** @throws BadRequestError unless the range lies inside the payload */
export function assertRange(record: PartitionRecord, offset: number, length: number): void {
  if (offset >= 0 && length >= 0 && offset + length <= record.bytes) return;
  const got = `[${offset}, ${offset + length})`;
  throw new BadRequestError('offset', `expected a range inside a payload of ${record.bytes} bytes, got ${got}`);
}
