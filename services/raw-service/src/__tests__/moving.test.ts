import { describe, expect, test } from '@jest/globals';
import { Moving } from '../moving.js';
import { nextId } from './partition-samples.js';

describe('Moving', () => {
  test('knows what moves until the work on it has ended, well or not', async () => {
    const moving = new Moving();
    const [a, b] = [nextId(), nextId()];
    let finish: () => void = () => undefined;
    let fail: (error: Error) => void = () => undefined;
    const first = moving.run([a], () => new Promise<string>((resolve) => (finish = () => resolve('done'))));
    const second = moving.run([b], () => new Promise<string>((_, reject) => (fail = reject)));
    expect([moving.has(a), moving.has(b), moving.has(nextId())]).toEqual([true, true, false]);
    expect(moving.of([nextId()])).toBeUndefined();
    const waited = moving.of([nextId(), b]);
    fail(new Error('the disk is gone'));
    await expect(second).rejects.toThrow('the disk is gone');
    await expect(waited).resolves.toBeUndefined();
    expect([moving.has(a), moving.has(b)]).toEqual([true, false]);
    finish();
    await expect(first).resolves.toBe('done');
    expect(moving.of([a, b])).toBeUndefined();
  });
});
