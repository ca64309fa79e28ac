import type { PartitionRecord } from '@tidegate/protocol';
import { RecordFormatError, recordFromJson, recordToJson } from './record-json.js';

/** Version of the sidecar's format. */
const FORMAT = 1;

/** Where the payload lies in the data file beside the sidecar. */
export interface SidecarPayload {
  /** Name of the data file. */
  readonly file: string;
  /** Bytes in front of the payload. */
  readonly offset: number;
  /** CRC-32 of the payload. */
  readonly crc32: number;
}

/** A sidecar: what a partition on disk is, and where its bytes are. */
export interface Sidecar {
  readonly record: PartitionRecord;
  readonly payload: SidecarPayload;
}

/** The text of a sidecar file: JSON with the record's fields at the top, for people and other tools. */
export function encodeSidecar({ record, payload }: Sidecar): string {
  const crc = payload.crc32.toString(16).padStart(8, '0');
  return `${JSON.stringify({ tidegate: FORMAT, ...recordToJson(record), payload: { ...payload, crc32: crc } }, null, 1)}\n`;
}

/**
 * Reads a sidecar file.
 * @throws RecordFormatError if it is none of this version
 */
export function parseSidecar(text: string): Sidecar {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new RecordFormatError('sidecar', 'JSON', text, { cause });
  }
  const record = recordFromJson(value);
  const fields: Readonly<Record<string, unknown>> = { ...(value as object) };
  if (fields['tidegate'] !== FORMAT) throw new RecordFormatError('tidegate', `format ${FORMAT}`, fields['tidegate']);
  const payload: Readonly<Record<string, unknown>> = { ...(fields['payload'] as object | undefined) };
  const { file, offset, crc32 } = payload;
  if (typeof file !== 'string') throw new RecordFormatError('payload.file', 'a file name', file);
  if (typeof offset !== 'number' || !Number.isSafeInteger(offset) || offset < 0) {
    throw new RecordFormatError('payload.offset', 'a non-negative integer', offset);
  }
  if (typeof crc32 !== 'string' || !/^[0-9a-f]{8}$/.test(crc32)) {
    throw new RecordFormatError('payload.crc32', '8 hex digits', crc32);
  }
  return { record, payload: { file, offset, crc32: Number.parseInt(crc32, 16) } };
}
