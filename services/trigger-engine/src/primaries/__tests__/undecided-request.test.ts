import { expect, test } from '@jest/globals';
import { readUndecided } from '../undecided-request.js';

const GOOD = { variable: 'T', run: 'r', steps: [1, 2], triggers: [{ name: 't', generation: 1 }] };

test('reads what a raw-service asks', () => {
  expect(readUndecided({ ...GOOD })).toEqual(GOOD);
});

test.each([
  ['variable', { variable: 'a b' }],
  ['run', { run: 1 }],
  ['steps', { steps: [-1] }],
  ['triggers', { triggers: 'all' }],
  ['triggers', { triggers: [null] }],
  ['triggers', { triggers: [{ name: 't' }] }],
])('refuses a bad %s', (field, change) => {
  expect(() => readUndecided({ ...GOOD, ...change })).toThrow(expect.objectContaining({ code: 'BAD_REQUEST', field }));
});
