import { describe, expect, it } from '@jest/globals';
import { until } from '../until.js';

describe('until', () => {
  it('returns the first value that is neither false nor undefined, failures included in the waiting', async () => {
    const answers = [false, undefined, new Error('not yet'), 0];
    const value = await until(() => {
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      return answer;
    });
    expect(value).toBe(0);
    expect(answers).toEqual([]);
  });

  it('names what it waited for in vain, with the last failure', async () => {
    const failure = until(() => Promise.reject(new Error('still not')), { timeoutMs: 20, what: 'rain' });
    await expect(failure).rejects.toThrow('waited 20 ms in vain for rain');
    await expect(failure).rejects.toMatchObject({ cause: new Error('still not') });
  });
});
