import { describe, expect, test } from '@jest/globals';
import type { DecisionReply } from '@tidegate/client';
import { DecisionWatch } from '../decision-watch.js';
import { Feed } from './feed.js';

let sequence = 0;
function decision(step: number, verdict: DecisionReply['verdict'], epoch = 0): DecisionReply {
  return {
    ...{ run: 'plane', trigger: 'gate', generation: 1, state: 'inactive', late: false, indicator: null },
    ...{ values: {}, reason: '', committedAt: '2026-11-24T12:00:00Z', sequence: ++sequence },
    ...{ step, verdict, epoch },
  };
}

function watching(...names: string[]) {
  const feeds = new Map(names.map((name) => [name, new Feed<DecisionReply>()]));
  const feed = (name: string) => feeds.get(name) ?? new Feed<DecisionReply>();
  return { watch: new DecisionWatch(names, feed), feed };
}

const SOON = { timeoutMs: 5000 };

describe('DecisionWatch', () => {
  test('counts what each trigger decided', async () => {
    const { watch, feed } = watching('gate', 'dense', 'idle');
    feed('gate').tell(decision(0, 'quiet'), decision(2, 'fired'), decision(1, 'unknown'), decision(3, 'fired'));
    feed('dense').tell(decision(0, 'quiet'));
    await watch.decided('gate', { step: 3, epoch: 0, ...SOON });
    await watch.decided('dense', { step: 0, epoch: 0, ...SOON });
    expect(watch.tallies()).toEqual([
      { name: 'gate', decided: 4, fired: 2, firstFired: 2 },
      { name: 'dense', decided: 1, fired: 0, firstFired: undefined },
      { name: 'idle', decided: 0, fired: 0, firstFired: undefined },
    ]);
  });

  test('waits for a step of an epoch', async () => {
    const { watch, feed } = watching('gate');
    const again = decision(5, 'quiet', 1);
    const waiting = watch.decided('gate', { step: 5, epoch: 1, ...SOON });
    feed('gate').tell(decision(5, 'fired'), again);
    expect(await waiting).toBe(again);
    expect(watch.decisions('gate').map(({ epoch }) => epoch)).toEqual([0, 1]);
  });

  test('gives up in time, and where following fails', async () => {
    const { watch, feed } = watching('gate');
    await expect(watch.decided('gate', { step: 5, epoch: 0, timeoutMs: 10 })).rejects.toThrow(
      'gate did not decide step 5 within 0.01 s',
    );
    const waiting = watch.decided('gate', { step: 5, epoch: 0, ...SOON });
    feed('gate').fail(new Error('gone'));
    await expect(waiting).rejects.toThrow('gone');
    await expect(watch.decided('gate', { step: 6, epoch: 0, ...SOON })).rejects.toThrow('gone');
  });
});
