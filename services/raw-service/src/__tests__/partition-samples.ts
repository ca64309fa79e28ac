import type { DType } from '@tidegate/array';
import { itemSize } from '@tidegate/array';
import { parseBox, volume } from '@tidegate/geometry';
import type { Epoch, PartitionId, PartitionRecord, Stamp } from '@tidegate/protocol';
import { pino } from 'pino';

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
let counter = 0;

/** Ids in rising order, the same in every run. */
export function nextId(prefix = '01'): PartitionId {
  let text = '';
  for (let rest = ++counter; text.length < 26 - prefix.length; rest = Math.floor(rest / 32)) {
    text = (CROCKFORD[rest % 32] ?? '0') + text;
  }
  return (prefix + text) as PartitionId;
}

/** A record whose size follows from box and dtype, unless `bytes` is given for an opaque one. */
export function sampleRecord(options: {
  id?: PartitionId;
  variable?: string;
  run?: string;
  step?: number;
  box?: string;
  dtype?: DType;
  bytes?: number;
  stamp?: number;
}): PartitionRecord {
  const dtype = options.dtype ?? 'float64';
  const box = parseBox(options.box ?? '0:16,0:16');
  return {
    id: options.id ?? nextId(),
    run: options.run ?? 'default',
    variable: options.variable ?? 'T',
    step: options.step ?? 0,
    epoch: 0 as Epoch,
    box,
    dtype,
    bytes: options.bytes ?? volume(box) * itemSize(dtype),
    stamp: (options.stamp ?? ++counter) as Stamp,
    createdAt: 1_700_000_000_000,
  };
}

/** Bytes that follow from a partition's id alone, so that another process can check them. */
export function sampleBytes(id: string, length: number): Uint8Array<ArrayBuffer> {
  let seed = 2166136261;
  for (let i = 0; i < id.length; i++) seed = Math.imul(seed ^ id.charCodeAt(i), 16777619);
  const words = new Uint32Array(Math.ceil(length / 4));
  for (let i = 0; i < words.length; i++) {
    seed ^= seed << 13;
    seed ^= seed >>> 17;
    seed ^= seed << 5;
    words[i] = seed;
  }
  return new Uint8Array(words.buffer, 0, length);
}

/** Keeps what is logged, for tests that look at it. */
export function recordingLogger() {
  const lines: { level: number; msg: string; [field: string]: unknown }[] = [];
  const logger = pino({ level: 'debug', base: null }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  return { logger, lines };
}
