import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { publishEvent } from '@tidegate/bus';
import { type SteerBody, steerSubject } from '@tidegate/protocol';
import { until } from '@tidegate/testing';
import fc from 'fast-check';
import { SteeringFence, type SteeringOptions, steering } from '../steering.js';
import { type BusFixture, busFixture } from './bus-fixture.js';

let fixture: BusFixture;
beforeAll(async () => {
  fixture = await busFixture();
});
afterAll(() => fixture.stop());

function steer(epoch: number, decision: number, action = 0, op: SteerBody['op'] = 'pause'): SteerBody {
  return { op, args: {}, epoch, decision, action, trigger: 'hot', step: decision };
}

const say = (run: string, body: object): Promise<unknown> => publishEvent(fixture.bus, steerSubject(run), body);

function following(run: string, options: SteeringOptions = {}) {
  const stop = new AbortController();
  const seen: SteerBody[] = [];
  const done = (async () => {
    for await (const body of steering(fixture.bus, run, { ...options, signal: stop.signal })) seen.push(body);
  })();
  return {
    seen,
    stop: () => {
      stop.abort();
      return done;
    },
  };
}

describe('the fence', () => {
  const place = fc.record({ epoch: fc.nat(2), decision: fc.nat(5), action: fc.nat(2) });

  it('lets exactly the records of the order through', () => {
    fc.assert(
      fc.property(fc.array(place, { maxLength: 30 }), (places) => {
        const fence = new SteeringFence();
        const rank = ({ epoch, decision, action }: (typeof places)[number]): number =>
          (epoch * 10 + decision) * 10 + action;
        let highest = -1;
        for (const next of places) {
          expect(fence.passes(next)).toBe(rank(next) > highest);
          highest = Math.max(highest, rank(next));
        }
      }),
    );
  });
});

describe('steering', () => {
  it('begins with the newest that stands, which need not be the last that was said', async () => {
    await say('late', steer(0, 5));
    await say('late', steer(1, 9, 0, 'resume'));
    await say('late', { rubbish: true });
    await say('late', steer(0, 7, 0, 'stop'));
    const fresh = following('late');
    const silent = following('late', { from: 'new' });
    await until(() => fresh.seen.length === 1);
    await say('late', steer(1, 9, 0, 'stop'));
    await say('late', steer(0, 30, 0, 'stop'));
    await say('late', steer(1, 9, 1, 'set'));
    await say('other', steer(9, 99, 0, 'stop'));
    await say('late', steer(1, 12));
    await until(() => fresh.seen.length === 3 && silent.seen.length === 2);
    await Promise.all([fresh.stop(), silent.stop()]);
    expect(fresh.seen).toEqual([steer(1, 9, 0, 'resume'), steer(1, 9, 1, 'set'), steer(1, 12)]);
    expect(silent.seen).toEqual([steer(1, 9, 1, 'set'), steer(1, 12)]);
  });

  it('waits for the first message, and ends with its signal at once where that has aborted', async () => {
    const first = following('quiet');
    await until(async () => {
      await say('quiet', steer(0, 1));
      return first.seen.length > 0;
    });
    await first.stop();
    expect(first.seen).toEqual([steer(0, 1)]);
    const ended = steering(fixture.bus, 'quiet', { signal: AbortSignal.abort() });
    expect(await ended.next()).toEqual({ done: true, value: undefined });
  });
});
