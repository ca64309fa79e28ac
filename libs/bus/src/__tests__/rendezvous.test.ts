import { describe, expect, it } from '@jest/globals';
import { seededRandom } from '@tidegate/testing';
import { assign } from '../rendezvous.js';

const members = (count: number): string[] => Array.from({ length: count }, (_, index) => `meta-${index}`);

function counts(owners: readonly string[]): Map<string, number> {
  const result = new Map<string, number>();
  for (const owner of owners) result.set(owner, (result.get(owner) ?? 0) + 1);
  return result;
}

describe('assign', () => {
  it('gives every shard to a member, and none where there are no members', () => {
    expect(assign(5, ['only'])).toEqual(['only', 'only', 'only', 'only', 'only']);
    expect(assign(5, [])).toEqual([]);
  });

  it('does not depend on the order of the members', () => {
    const random = seededRandom(1);
    const expected = assign(64, members(9));
    for (let round = 0; round < 20; round++) expect(assign(64, random.shuffle(members(9)))).toEqual(expected);
  });

  it('deals evenly: chi-squared over members and over shards stays near its mean', () => {
    const owners = assign(10_000, members(20));
    let chiSquared = 0;
    for (const count of counts(owners).values()) chiSquared += (count - 500) ** 2 / 500;
    // 19 degrees of freedom: above 43.8 once in a thousand.
    expect(counts(owners).size).toBe(20);
    expect(chiSquared).toBeLessThan(43.8);
  });

  it('deals few shards to everybody: 16 shards, 3 members, names as in practice', () => {
    let idle = 0;
    for (let cluster = 0; cluster < 200; cluster++) {
      const dealt = counts(assign(16, [`meta-${cluster}-a`, `meta-${cluster}-b`, `meta-${cluster}-c`]));
      if (dealt.size < 3) idle++;
    }
    // By chance (2/3)^16 x 3 of the clusters leave one idle: 0.5 %.
    expect(idle).toBeLessThan(6);
  });

  it('moves only what a leaving member had and a coming member gains', () => {
    const before = assign(4096, members(10));
    const without = assign(
      4096,
      members(10).filter((member) => member !== 'meta-4'),
    );
    for (const [shard, owner] of before.entries()) {
      if (owner === 'meta-4') expect(without[shard]).not.toBe('meta-4');
      else expect(without[shard]).toBe(owner);
    }
    const after = assign(4096, [...members(10), 'new']);
    let moved = 0;
    for (const [shard, owner] of after.entries()) {
      if (owner === before[shard]) continue;
      expect(owner).toBe('new');
      moved++;
    }
    expect(moved).toBeGreaterThan(4096 / 11 / 1.5);
    expect(moved).toBeLessThan((4096 / 11) * 1.5);
  });
});
