import { expect, it } from '@jest/globals';
import { isUlid } from '@tidegate/protocol';
import { decodeTime } from 'ulid';
import { derivedId } from '../derived-id.js';

it('is a ULID of the decision’s time, the same for the same action and box and for no other', () => {
  const time = 1_767_323_045_000;
  const ids = new Set<string>();
  for (let step = 0; step < 200; step++) {
    for (const box of ['0:8', '8:16']) {
      const id = derivedId({ time, actionId: `t/1/r/0/${step}#1`, box });
      expect(isUlid(id)).toBe(true);
      expect(decodeTime(id)).toBe(time);
      expect(derivedId({ time, actionId: `t/1/r/0/${step}#1`, box })).toBe(id);
      ids.add(id);
    }
  }
  expect(ids.size).toBe(400);
});

it('spreads over all that a ULID has', () => {
  const seen = Array.from({ length: 26 }, () => new Set<string>());
  for (let n = 0; n < 500; n++) {
    for (const [at, letter] of [...derivedId({ time: 0, actionId: String(n), box: '' })].entries())
      seen[at]?.add(letter);
  }
  expect(seen.slice(10).every((letters) => letters.size === 32)).toBe(true);
});
