import { expect, it } from '@jest/globals';
import { delivery } from '../delivery.js';

const expected = { attempt: 2, sequence: 40, consumerSequence: 7, storedAt: 1_700_000_000_123, pending: 3 };

it('reads both forms of the reply subject', () => {
  expect(delivery('$JS.ACK.TIDE_TASKS.render.2.40.7.1700000000123456789.3')).toEqual(expected);
  expect(delivery('$JS.ACK.hub.ACCOUNT.TIDE_TASKS.render.2.40.7.1700000000123456789.3.token')).toEqual(expected);
});
