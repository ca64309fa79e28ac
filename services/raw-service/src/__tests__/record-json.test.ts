import { describe, expect, test } from '@jest/globals';
import { RecordFormatError, recordFromJson, recordToJson } from '../record-json.js';
import { sampleRecord } from './partition-samples.js';

describe('record JSON', () => {
  const full = {
    ...sampleRecord({ box: '1:3,0:4,7:8', dtype: 'int16', step: 2 ** 53 - 1 }),
    digest: `sha256:${'0'.repeat(64)}`,
    annotation: '{"sensor":"s"}',
    activity: 'a',
    derivedFrom: [{ variable: 'P', step: 3, box: '0:4' }],
  };

  test('comes back as it went', () => {
    for (const record of [full, sampleRecord({}), sampleRecord({ dtype: 'bytes', bytes: 7 })]) {
      expect(recordFromJson(JSON.parse(JSON.stringify(recordToJson(record))))).toEqual(record);
    }
    expect(recordToJson(full)['box']).toBe('1:3,0:4,7:8');
  });

  test('names the field that is wrong', () => {
    const wrong: Record<string, unknown> = {
      id: '../../etc',
      run: 'a/b',
      variable: '',
      step: -1,
      epoch: 1.5,
      box: '3:1',
      dtype: 'float128',
      bytes: 15,
      stamp: '1',
      createdAt: null,
      digest: 5,
      annotation: {},
      activity: [],
      derivedFrom: [{ step: 1 }],
    };
    for (const [field, value] of Object.entries(wrong)) {
      const change = () => recordFromJson({ ...recordToJson(full), [field]: value });
      expect(change).toThrow(RecordFormatError);
      expect(change).toThrow(new RegExp(`expected ${field} to be`));
    }
    for (const value of [null, 3, 'text', []]) expect(() => recordFromJson(value)).toThrow(RecordFormatError);
  });
});
