import { describe, expect, test } from '@jest/globals';
import { silentLogger } from '@tidegate/bus';
import { UnavailableError } from '@tidegate/protocol';
import { LeaseLostError, untilDone } from '../until-done.js';

describe('untilDone', () => {
  const options = { logger: silentLogger, what: 'it', signal: new AbortController().signal };

  test('tries again until it is done', async () => {
    let attempts = 0;
    const done = await untilDone(() => {
      attempts++;
      return attempts < 4 ? Promise.reject(new UnavailableError('not yet', 0)) : Promise.resolve(attempts);
    }, options);
    expect(done).toBe(4);
  });

  test('ends with a lost lease, and with its signal even in a pause', async () => {
    await expect(untilDone(() => Promise.reject(new LeaseLostError('gone')), options)).rejects.toThrow('gone');
    const ended = new AbortController();
    const waiting = untilDone(
      () => {
        setImmediate(() => ended.abort(new Error('stopped')));
        return Promise.reject(new Error('a bug'));
      },
      { ...options, signal: ended.signal },
    );
    await expect(waiting).rejects.toThrow('stopped');
  });
});
