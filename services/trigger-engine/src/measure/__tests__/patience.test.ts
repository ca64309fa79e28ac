import { expect, it } from '@jest/globals';
import { AttemptTimeoutError, DisconnectedError, NoResponderError } from '@tidegate/bus';
import { BusyError, NotFoundError, StorageFullError } from '@tidegate/protocol';
import { Patience } from '../patience.js';

it('ends after its time of silence, and is renewed by an answer', () => {
  let now = 1000;
  const patience = new Patience(500, () => now);
  now += 499;
  expect(patience.outlasts(new NoResponderError('x'))).toBe(true);
  now += 1;
  expect(patience.outlasts(new AttemptTimeoutError('x', 10))).toBe(false);
  patience.renew();
  expect(patience.outlasts(new NoResponderError('x'))).toBe(true);
});

it('is not used up by those that say BUSY, nor by a lost connection', () => {
  let now = 0;
  const patience = new Patience(100, () => now);
  for (const error of [new BusyError('full', 1), new DisconnectedError('x', { sent: true })]) {
    now += 1000;
    expect(patience.outlasts(error)).toBe(true);
  }
});

it('has none for what another attempt cannot mend', () => {
  const patience = new Patience(100, () => 0);
  const full = { retryAfterMs: 1, state: 'full', limit: 'memory', usedBytes: 0, limitBytes: 0, needBytes: 0 } as const;
  for (const error of [new NotFoundError('gone'), new StorageFullError('full', full), new TypeError('bug')]) {
    expect(patience.outlasts(error)).toBe(false);
  }
});
