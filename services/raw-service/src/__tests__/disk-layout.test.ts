import { describe, expect, test } from '@jest/globals';
import {
  classify,
  dataName,
  isSeriesFolder,
  isStepFolder,
  QUARANTINE_FOLDER,
  sidecarName,
  stepFolder,
  temporaryName,
} from '../disk-layout.js';
import { sampleRecord } from './partition-samples.js';

describe('disk layout', () => {
  test('names files so that they can be told apart', () => {
    const record = sampleRecord({ variable: 'T', run: 'r1', step: 12 });
    expect(stepFolder(record)).toEqual(['T', 'r1', '12']);
    expect(dataName(record)).toBe(`${record.id}.npy`);
    expect(dataName({ ...record, dtype: 'bytes' })).toBe(`${record.id}.bin`);
    expect(classify(dataName(record))).toBe('data');
    expect(classify(dataName({ ...record, dtype: 'bytes' }))).toBe('data');
    expect(classify(sidecarName(record))).toBe('sidecar');
    expect(classify(temporaryName(dataName(record)))).toBe('temporary');
    expect(classify(temporaryName(sidecarName(record)))).toBe('temporary');
    for (const name of ['notes.txt', 'x.npy', `${record.id}.npy.bak`, `${record.id}`, 'a.tmp', '.DS_Store', 'lock']) {
      expect(classify(name)).toBe('foreign');
    }
  });

  test('takes no foreign folder for its own', () => {
    expect(['T', 'a-b_C9'].every(isSeriesFolder)).toBe(true);
    expect([QUARANTINE_FOLDER, '..', 'lost+found', ''].some(isSeriesFolder)).toBe(false);
    expect(['0', '7', '9007199254740991'].every(isStepFolder)).toBe(true);
    expect(['', '01', '-1', '1e3', '9007199254740992'].some(isStepFolder)).toBe(false);
  });
});
