import { expect, it } from '@jest/globals';
import { AttemptTimeoutError, JetStreamError, silentLogger } from '@tidegate/bus';
import { BadRequestError, StorageFullError } from '@tidegate/protocol';
import { untilStored } from '../until-stored.js';

const FULL = new StorageFullError('full', {
  retryAfterMs: 1,
  state: 'full',
  limit: 'stream',
  usedBytes: 0,
  limitBytes: 0,
  needBytes: 0,
});
const options = (signal = new AbortController().signal) => ({ logger: silentLogger, what: 'it', signal });

it('goes on for as long as there is no room, no leader, no answer', async () => {
  const errors = [FULL, new AttemptTimeoutError('x', 1), FULL];
  const attempt = async () => {
    const error = errors.shift();
    if (error !== undefined) throw error;
    return 'stored';
  };
  expect(await untilStored(attempt, options())).toBe('stored');
});

it('gives up what waiting cannot mend', async () => {
  const refused = async () => {
    throw new BadRequestError('x', 'refused');
  };
  await expect(untilStored(refused, options())).rejects.toThrow('refused');
});

it('bounds how often it is refused by JetStream itself', async () => {
  let attempts = 0;
  const refused = async () => {
    attempts++;
    throw new JetStreamError('publish', 10054, 'message size exceeds maximum allowed');
  };
  await expect(untilStored(refused, options())).rejects.toThrow('10054');
  expect(attempts).toBe(10);
});

it('ends with its signal', async () => {
  const ended = new AbortController();
  const attempt = async () => {
    ended.abort(new Error('the lease is lost'));
    throw FULL;
  };
  await expect(untilStored(attempt, options(ended.signal))).rejects.toThrow('the lease is lost');
});
