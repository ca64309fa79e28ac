import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { explainReplySchema, NotFoundError, type TriggerExplainRequest, UnknownTriggerError } from '@tidegate/protocol';
import { INITIAL_STATE } from '../../semantics/index.js';
import { explainDecision } from '../explain.js';
import { type ReadingBench, startReadingBench } from './reading-bench.js';

let bench: ReadingBench;

const DEFINITION = {
  name: 'hot',
  on: { variable: 'T', run: 'r*', every: 2 },
  check: { mx: { reduce: 'max' }, ext: { call: { subject: 'outside.x' } } },
  compare: { condition: 'mx > 2.0 && movavg(history.mx, 2) > 1.0', recovery: 'mx < 1.0' },
  action: [{ trigger: { name: 'confirm' } }],
};

beforeAll(async () => {
  bench = await startReadingBench();
  bench.staging.declare('T', [8]);
});
afterAll(() => bench.end());
beforeEach(() => {
  bench.register(DEFINITION);
  bench.staging.partitions = [];
  bench.staging.dropped = false;
  bench.epoch = 0;
});

async function explain(request: Partial<TriggerExplainRequest> & { readonly step: number }) {
  return explainReplySchema.parse(await explainDecision(bench.context, { name: 'hot', run: 'r', ...request }));
}

describe('a decision', () => {
  it('is shown with the value of each part of its expressions, from what was logged', async () => {
    const before = {
      ...INITIAL_STATE,
      phase: 'firing' as const,
      held: 1,
      lastStep: 8,
      history: { mx: [[8, 1.5]] as const },
    };
    const outbox = [{ id: 'hot/1/r/0/10', kind: 'event' as const, data: {} }];
    const parts = [{ box: '0:8', bytes: 64, values: { mx: 3 } }];
    const sequence = await bench.commit({
      step: 10,
      values: { mx: 3, ext: [1] },
      before,
      parts,
      outbox,
      verdict: 'fired',
    });
    const reply = await explain({ step: 10 });
    expect(reply.decision).toMatchObject({ step: 10, verdict: 'fired', sequence, values: { mx: 3, ext: [1] } });
    expect(Object.fromEntries(reply.condition.map(({ text, value }) => [text, value]))).toMatchObject({
      'mx > 2.0': true,
      mx: 3,
      'movavg(history.mx, 2) > 1.0': true,
      'movavg(history.mx, 2)': 2.25,
    });
    expect(reply.recovery[0]).toEqual({ text: 'mx < 1.0', value: false });
    expect(reply.before).toMatchObject({ phase: 'firing', lastStep: 8 });
    expect(reply.parts).toEqual(parts);
    expect(reply.actions).toEqual(outbox);
    expect(reply.reason).toBe('the condition does not hold');
  });

  it('is evaluated with numbers that JSON lacks, and with the reasons of those that are missing', async () => {
    await bench.commit({ step: 12, values: { mx: 'Infinity' } });
    expect((await explain({ step: 12 })).condition).toContainEqual({ text: 'mx > 2.0', value: true });
    await bench.commit({ step: 14, failures: { mx: 'the disk is broken' }, verdict: 'unknown', indicator: null });
    expect((await explain({ step: 14 })).condition).toContainEqual({
      text: 'mx > 2.0',
      value: { unknown: 'check mx: the disk is broken' },
    });
  });

  it('is the one of the newest generation and epoch, the last of several', async () => {
    await bench.commit({ step: 20, epoch: 1, reason: 'after the rollback' });
    await bench.commit({ step: 20, epoch: 0, reason: 'of before, told late' });
    expect((await explain({ step: 20 })).reason).toBe('after the rollback');
    await bench.commit({ step: 20, generation: 2, reason: 'of the next generation' });
    const newest = await explain({ step: 20 });
    expect(newest.reason).toMatch(/^of the next generation; generation 2 was replaced by generation 1/);
    expect(newest.condition).toEqual([]);
    expect((await explain({ step: 20, generation: 1 })).reason).toBe('after the rollback');
  });

  it('says that a rollback superseded it', async () => {
    await bench.commit({ step: 22 });
    bench.epoch = 2;
    expect((await explain({ step: 22 })).reason).toContain('superseded by a rollback of the run, which is in epoch 2');
  });

  it('leaves the pieces out where they do not fit a message', async () => {
    const parts = Array.from({ length: 400 }, (_, n) => ({
      box: `${n}:${n + 1}`,
      bytes: 8,
      values: { mx: 'x'.repeat(2570) },
    }));
    await bench.commit({ step: 24, parts });
    expect(await explain({ step: 24 })).not.toHaveProperty('parts');
  });
});

describe('no decision', () => {
  const why = async (step: number, more: Partial<TriggerExplainRequest> = {}): Promise<string> => {
    try {
      await explain({ step, ...more });
    } catch (error) {
      if (error instanceof NotFoundError) return error.message;
      throw error;
    }
    throw new Error('there is one');
  };

  it('because the trigger is for other steps or runs', async () => {
    expect(await why(101)).toBe(
      'trigger "hot" has not decided step 101 of run "r": the trigger decides steps that are multiples of 2',
    );
    expect(await why(100, { run: 'other' })).toContain('the trigger is for runs "r*"');
  });

  it('because of the data', async () => {
    bench.staging.stage({ step: 100, box: '0:3' });
    expect(await why(100)).toContain('its box is not covered: one box has no data: 3:8');
    bench.staging.dropped = true;
    expect(await why(100)).toContain('dropped the step before it was decided');
  });

  it('because of the trigger', async () => {
    bench.staging.stage({ step: 100, box: '0:8' });
    expect(await why(100)).toContain('its box is covered: the decision is due');
    bench.register(DEFINITION, { enabled: false });
    expect(await why(100)).toContain('the trigger is disabled');
    bench.register(DEFINITION, { state: 'registering' });
    expect(await why(100)).toContain('not finished yet');
    bench.register(DEFINITION, { state: 'deleted' });
    expect(await why(100)).toContain('the trigger is deleted');
    bench.register(DEFINITION, { generation: 4 });
    expect(await why(100, { generation: 3 })).toContain(
      'generation 3 has not decided it; the trigger stands at generation 4',
    );
    bench.register(DEFINITION, { variableCreatedAt: '2020-01-01T00:00:00Z' });
    expect(await why(100)).toContain('variable "T" was deleted');
  });

  it('because its parent did not fire', async () => {
    expect(await why(200, { name: 'hot~confirm' })).toContain(
      'it is decided where hot fires, which has not decided the step: its box is not covered',
    );
    await bench.commit({ step: 200, verdict: 'quiet', reason: 'it cools down' });
    expect(await why(200, { name: 'hot~confirm' })).toContain('which was quiet at the step: it cools down');
    await bench.commit({ step: 202, verdict: 'fired' });
    expect(await why(202, { name: 'hot~confirm' })).toContain('hot fired at the step: the decision is due');
  });

  it('because there is no such trigger', async () => {
    await expect(explain({ step: 2, name: 'nobody' })).rejects.toThrow(UnknownTriggerError);
    await expect(explain({ step: 2, name: 'hot~nobody' })).rejects.toThrow(UnknownTriggerError);
  });
});
