import { describe, expect, it } from '@jest/globals';
import type { MemberRecord } from '@tidegate/protocol';
import { RawChoice } from '../raw-choice.js';

function member(id: string, freeBytes: number, state: MemberRecord['state'] = 'ok'): MemberRecord {
  return { id, kind: 'raw', incarnation: 'i', host: 'h', pid: 1, startedAt: '', freeBytes, limitBytes: 1000, state };
}

function counts(choice: RawChoice, turns: number): Record<string, number> {
  const seen: Record<string, number> = {};
  for (let turn = 0; turn < turns; turn++) {
    const id = choice.next() ?? 'none';
    seen[id] = (seen[id] ?? 0) + 1;
  }
  return seen;
}

describe('RawChoice', () => {
  it('has none to choose before a service is live', () => {
    expect(new RawChoice(() => 0, 0).next()).toBeUndefined();
  });

  it('goes round evenly where room is even', () => {
    const choice = new RawChoice(() => 0, 0.3);
    choice.update([member('a', 500), member('b', 500), member('c', 500)]);
    const seen = counts(choice, 300);
    for (const id of ['a', 'b', 'c']) expect(Math.abs((seen[id] ?? 0) - 100)).toBeLessThanOrEqual(3);
  });

  it('weighs by free room and passes full services over', () => {
    const choice = new RawChoice(() => 0, 0.3);
    choice.update([member('a', 900), member('b', 300), member('c', 900, 'full')]);
    const seen = counts(choice, 1200);
    expect(seen['a']).toBeGreaterThan(870);
    expect(seen['b']).toBeGreaterThan(270);
    expect(seen['c'] ?? 0).toBeLessThan(30);
  });

  it('takes another one than those named, while there is one', () => {
    const choice = new RawChoice(() => 0, 0.3);
    choice.update([member('a', 1), member('b', 1)]);
    for (let turn = 0; turn < 20; turn++) expect(choice.next(new Set(['a']))).toBe('b');
    expect(['a', 'b']).toContain(choice.next(new Set(['a', 'b'])));
  });

  it('passes a suspect over for a while, unless it is the only one', () => {
    let now = 0;
    const choice = new RawChoice(() => now, 0.3);
    choice.update([member('a', 1), member('b', 1)]);
    choice.suspect('a');
    expect(counts(choice, 50)).toEqual({ b: 50 });
    now = 60_000;
    expect(Object.keys(counts(choice, 50)).sort()).toEqual(['a', 'b']);
    choice.suspect('a');
    choice.update([member('a', 1)]);
    expect(choice.next()).toBe('a');
  });
});
