import { describe, expect, test } from '@jest/globals';
import { encodeSidecar, parseSidecar } from '../sidecar.js';
import { sampleRecord } from './partition-samples.js';

describe('sidecar', () => {
  const sidecar = { record: sampleRecord({}), payload: { file: 'x.npy', offset: 128, crc32: 0xabc } };

  test('comes back as it went, in fields that other tools can read', () => {
    const text = encodeSidecar(sidecar);
    expect(parseSidecar(text)).toEqual(sidecar);
    expect(JSON.parse(text)).toMatchObject({ tidegate: 1, box: '0:16,0:16', payload: { crc32: '00000abc' } });
  });

  test('refuses what is none', () => {
    const fields = JSON.parse(encodeSidecar(sidecar));
    const change = (changed: object) => () => parseSidecar(JSON.stringify({ ...fields, ...changed }));
    expect(() => parseSidecar('')).toThrow(/expected sidecar to be JSON/);
    expect(() => parseSidecar(encodeSidecar(sidecar).slice(0, -10))).toThrow(/expected sidecar to be JSON/);
    expect(change({ tidegate: 2 })).toThrow(/expected tidegate to be format 1/);
    expect(change({ payload: undefined })).toThrow(/payload.file/);
    expect(change({ payload: { ...fields.payload, offset: -1 } })).toThrow(/payload.offset/);
    expect(change({ payload: { ...fields.payload, crc32: 'xyz' } })).toThrow(/payload.crc32/);
    expect(change({ step: 'no' })).toThrow(/expected step/);
  });
});
