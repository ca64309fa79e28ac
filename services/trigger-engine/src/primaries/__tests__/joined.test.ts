import { describe, expect, test } from '@jest/globals';
import { Joined } from '../joined.js';

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (error: unknown) => void } {
  let resolve: (value: T) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

describe('Joined', () => {
  test('everybody gets an answer that was begun after the question, the waiting ones the same', async () => {
    const joined = new Joined<number>();
    const answers = [deferred<number>(), deferred<number>()];
    let begun = 0;
    const make = () => (answers[begun++] as (typeof answers)[number]).promise;
    const first = joined.ask('k', make);
    const second = joined.ask('k', make);
    const third = joined.ask('k', make);
    expect(begun).toBe(1);
    answers[0]?.resolve(1);
    expect(await first).toBe(1);
    answers[1]?.resolve(2);
    expect(await second).toBe(2);
    expect(await third).toBe(2);
    expect(begun).toBe(2);
  });

  test('a failure is that of its own question only, and other keys do not wait', async () => {
    const joined = new Joined<number>();
    const slow = deferred<number>();
    const failing = joined.ask('a', () => slow.promise);
    const after = joined.ask('a', () => Promise.resolve(5));
    expect(await joined.ask('b', () => Promise.resolve(7))).toBe(7);
    slow.reject(new Error('no answer'));
    await expect(failing).rejects.toThrow('no answer');
    expect(await after).toBe(5);
    expect(await joined.ask('a', () => Promise.resolve(6))).toBe(6);
  });
});
