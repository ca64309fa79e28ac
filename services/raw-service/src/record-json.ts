import { isDType, isOpaque, itemSize } from '@tidegate/array';
import { type Box, formatBox, parseBox, volume } from '@tidegate/geometry';
import {
  type Epoch,
  isName,
  isStep,
  isUlid,
  type PartitionId,
  type PartitionRecord,
  type RegionRef,
  type Stamp,
} from '@tidegate/protocol';

/** A stored record that is none: damage, or a file that something else wrote. */
export class RecordFormatError extends Error {
  override readonly name = 'RecordFormatError';
  readonly field: string;

  constructor(field: string, expected: string, value: unknown, options?: ErrorOptions) {
    super(`expected ${field} to be ${expected}, got ${JSON.stringify(value)?.slice(0, 100)}`, options);
    this.field = field;
  }
}

/** A partition's record as it is stored: the box in text form. */
export function recordToJson(record: PartitionRecord): Readonly<Record<string, unknown>> {
  return { ...record, box: formatBox(record.box) };
}

/**
 * Reads a stored record; unknown keys are ignored.
 * @throws RecordFormatError that names the first field that is wrong
 */
export function recordFromJson(value: unknown): PartitionRecord {
  if (typeof value !== 'object' || value === null) throw new RecordFormatError('record', 'an object', value);
  const fields: Readonly<Record<string, unknown>> = { ...value };
  const dtype = fields['dtype'];
  if (!isDType(dtype)) throw new RecordFormatError('dtype', 'an element type', dtype);
  const id = fields['id'];
  if (!isUlid(id)) throw new RecordFormatError('id', 'a ULID', id);
  const record: PartitionRecord = {
    id: id as PartitionId,
    run: name(fields, 'run'),
    variable: name(fields, 'variable'),
    step: integer(fields, 'step'),
    epoch: integer(fields, 'epoch') as Epoch,
    box: box(fields['box']),
    dtype,
    bytes: integer(fields, 'bytes'),
    stamp: integer(fields, 'stamp') as Stamp,
    createdAt: integer(fields, 'createdAt'),
    ...optionalText(fields, 'digest'),
    ...optionalText(fields, 'annotation'),
    ...optionalText(fields, 'activity'),
    ...(fields['derivedFrom'] === undefined ? {} : { derivedFrom: regions(fields['derivedFrom']) }),
  };
  const expected = volume(record.box) * itemSize(dtype);
  if (!isOpaque(dtype) && record.bytes !== expected) {
    throw new RecordFormatError('bytes', `${expected}, the size of its box,`, record.bytes);
  }
  return record;
}

function name(fields: Readonly<Record<string, unknown>>, key: string): string {
  const value = fields[key];
  if (!isName(value)) throw new RecordFormatError(key, 'a name', value);
  return value;
}

function integer(fields: Readonly<Record<string, unknown>>, key: string): number {
  const value = fields[key];
  if (!isStep(value)) throw new RecordFormatError(key, 'a non-negative integer', value);
  return value;
}

function optionalText<K extends string>(fields: Readonly<Record<string, unknown>>, key: K): { [key in K]?: string } {
  const value = fields[key];
  if (value === undefined) return {};
  if (typeof value !== 'string') throw new RecordFormatError(key, 'text', value);
  return { [key]: value } as { [key in K]?: string };
}

function box(value: unknown): Box {
  try {
    return parseBox(typeof value === 'string' ? value : '');
  } catch (cause) {
    throw new RecordFormatError('box', 'a box in text form', value, { cause });
  }
}

function regions(value: unknown): readonly RegionRef[] {
  const valid = Array.isArray(value) && value.every((region) => isName(region?.variable) && isStep(region?.step));
  if (!valid) throw new RecordFormatError('derivedFrom', 'a list of regions', value);
  return value;
}
