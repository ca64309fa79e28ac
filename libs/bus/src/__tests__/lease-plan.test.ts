import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type HeldLease, type LeaseState, planLeases, RETRY_MS, type SeenLease } from '../lease-plan.js';

const TTL = 3000;
const NOTHING = { lost: [], renew: [], release: [], acquire: [] };

function state(changes: Partial<LeaseState>): LeaseState {
  return {
    now: 10_000,
    ttlMs: TTL,
    owner: 'me',
    desired: ['me', 'me', 'you'],
    held: new Map(),
    seen: new Map(),
    triedAt: new Map(),
    acquiring: new Set(),
    limit: 64,
    ...changes,
  };
}

function held(changes: Partial<HeldLease> = {}): HeldLease {
  return { validUntil: 12_000, renewedAt: 9_900, renewing: false, losing: false, ...changes };
}

const seen = (at: number, owner = 'you'): SeenLease => ({ owner, incarnation: 'i', revision: 1, at });

describe('planLeases', () => {
  it('acquires the free shards that are dealt to it, and no others', () => {
    expect(planLeases(state({}))).toEqual({ ...NOTHING, acquire: [0, 1] });
  });

  it('leaves a standing lease alone until it was silent for a time to live', () => {
    const at = (age: number) => planLeases(state({ seen: new Map([[0, seen(10_000 - age)]]) })).acquire;
    expect(at(TTL - 1)).toEqual([1]);
    expect(at(TTL)).toEqual([0, 1]);
  });

  it('leaves the lease of an earlier incarnation of itself alone, too', () => {
    expect(planLeases(state({ seen: new Map([[0, seen(9_000, 'me')]]) })).acquire).toEqual([1]);
  });

  it('spaces its attempts, and bounds how many are under way', () => {
    const tried = new Map([
      [0, 10_000 - RETRY_MS + 1],
      [1, 10_000 - RETRY_MS],
    ]);
    expect(planLeases(state({ triedAt: tried })).acquire).toEqual([1]);
    expect(planLeases(state({ acquiring: new Set([0]) })).acquire).toEqual([1]);
    expect(planLeases(state({ acquiring: new Set([7]), limit: 2 })).acquire).toEqual([0]);
    expect(planLeases(state({ acquiring: new Set([7, 8]), limit: 2 })).acquire).toEqual([]);
  });

  it('renews at a quarter of the time to live, one renewal at a time', () => {
    const due = held({ renewedAt: 10_000 - TTL / 4 });
    expect(planLeases(state({ desired: ['me'], held: new Map([[0, due]]) }))).toEqual({ ...NOTHING, renew: [0] });
    expect(planLeases(state({ desired: ['me'], held: new Map([[0, held()]]) }))).toEqual(NOTHING);
    expect(planLeases(state({ desired: ['me'], held: new Map([[0, { ...due, renewing: true }]]) }))).toEqual(NOTHING);
  });

  it('hands over what belongs to another member, once, and renews it meanwhile', () => {
    const due = held({ renewedAt: 9_000 });
    expect(planLeases(state({ desired: ['you'], held: new Map([[0, due]]) }))).toEqual({
      ...NOTHING,
      renew: [0],
      release: [0],
    });
    expect(planLeases(state({ desired: ['you'], held: new Map([[0, { ...due, losing: true }]]) }))).toEqual({
      ...NOTHING,
      renew: [0],
    });
  });

  it('gives up at once what it can not trust any more', () => {
    expect(planLeases(state({ desired: ['me'], held: new Map([[0, held({ validUntil: 10_000 })]]) }))).toEqual({
      ...NOTHING,
      lost: [0],
    });
  });

  it('never acquires what it holds, nor renews or releases what it lost, whatever the state', () => {
    const lease = fc.record({
      validUntil: fc.integer({ min: 8_000, max: 13_000 }),
      renewedAt: fc.integer({ min: 5_000, max: 10_000 }),
      renewing: fc.boolean(),
      losing: fc.boolean(),
    });
    const shards = <T>(value: fc.Arbitrary<T>) =>
      fc.array(fc.tuple(fc.nat(9), value)).map((entries) => new Map(entries));
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('me', 'you'), { minLength: 10, maxLength: 10 }),
        shards(lease),
        shards(fc.integer({ min: 5_000, max: 10_000 }).map((at) => seen(at))),
        shards(fc.integer({ min: 9_000, max: 10_000 })),
        fc.uniqueArray(fc.nat(9)),
        (desired, holding, standing, triedAt, acquiring) => {
          const plan = planLeases(
            state({ desired, held: holding, seen: standing, triedAt, acquiring: new Set(acquiring), limit: 4 }),
          );
          for (const shard of plan.acquire) {
            expect(holding.has(shard) || acquiring.includes(shard)).toBe(false);
            expect(desired[shard]).toBe('me');
          }
          expect(plan.acquire.length).toBeLessThanOrEqual(Math.max(0, 4 - acquiring.length));
          for (const shard of [...plan.renew, ...plan.release]) expect(plan.lost).not.toContain(shard);
          for (const [shard, { validUntil }] of holding) expect(plan.lost.includes(shard)).toBe(validUntil <= 10_000);
        },
      ),
    );
  });
});
