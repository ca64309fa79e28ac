import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { monotonicNow } from '@tidegate/bus';
import { type TriggerRecord, UnavailableError, type UndecidedReply, type UndecidedRequest } from '@tidegate/protocol';
import { UndecidedSteps } from '../undecided-steps.js';
import { recordingLogger } from './partition-samples.js';
import { sampleTrigger } from './trigger-samples.js';

let triggers: TriggerRecord[];
let isCurrent: boolean;
/** What the fake engines have not decided. */
let open: Set<number>;
let questions: (UndecidedRequest & { readonly primary: number })[];
let answer: (primary: number, request: UndecidedRequest) => Promise<UndecidedReply>;
/** Steps outside the window, as the store would look at them. */
let held: Set<number>;
let undecided: UndecidedSteps;
let looked: (() => void)[];
const log = recordingLogger();

beforeEach(() => {
  triggers = [sampleTrigger('a')];
  isCurrent = true;
  open = new Set();
  questions = [];
  held = new Set();
  looked = [];
  log.lines.length = 0;
  answer = async (_primary, { steps }) => ({ undecided: steps.filter((step) => open.has(step)) });
  undecided = new UndecidedSteps({
    triggers: (variable) => (variable === 'T' ? triggers : []),
    isCurrent: () => isCurrent,
    ask: (primary, request) => {
      questions.push({ ...request, primary });
      return answer(primary, request);
    },
    reconsider: () => look(),
    now: monotonicNow,
    logger: log.logger,
  });
});
afterEach(() => undecided.stop());

/** As the evictor does: what nobody will decide leaves. */
function look() {
  for (const step of held) if (!undecided.has('T', 'r', step)) held.delete(step);
  for (const note of looked.splice(0)) note();
}

/** Resolves when the store was made to look again and the condition holds. */
async function until(condition: () => boolean) {
  while (!condition()) await new Promise<void>((resolve) => looked.push(resolve));
}

describe('UndecidedSteps', () => {
  test('costs no question where no trigger is on the variable, the run, or the step', () => {
    expect(undecided.has('U', 'r', 1)).toBe(false);
    triggers = [sampleTrigger('a', { run: 'x*' }), sampleTrigger('b', { every: 10 })];
    expect([undecided.has('T', 'r', 1), undecided.has('T', 'r', 10), undecided.has('T', 'xy', 1)]).toEqual([
      false,
      true,
      true,
    ]);
    triggers = [];
    expect(undecided.has('T', 'r', 10)).toBe(false);
  });

  test('keeps steps until they are decided, and asks for them together', async () => {
    held = new Set([1, 2, 3, 4]);
    open = new Set([2, 4]);
    look();
    expect(held.size).toBe(4);
    await until(() => held.size === 2);
    expect(questions).toEqual([
      { primary: 0, variable: 'T', run: 'r', steps: [1, 2, 3, 4], triggers: [{ name: 'a', generation: 1 }] },
    ]);
    open.clear();
    await until(() => held.size === 0);
    expect(questions.slice(1).map(({ steps }) => steps)).toEqual([[2, 4]]);
    expect(undecided.has('T', 'r', 2)).toBe(false);
    expect(questions).toHaveLength(2);
  });

  test('a step that newly left its window does not wait for those that stay undecided', async () => {
    open = new Set([1]);
    held = new Set([1]);
    look();
    for (let step = 2; step < 8; step++) {
      held.add(step);
      look();
      await until(() => held.size === 1);
    }
    expect(questions.filter(({ steps }) => steps.includes(1)).length).toBeLessThanOrEqual(3);
  });

  test('asks every primary, names it its triggers alone, and keeps a step while one of them may decide it', async () => {
    triggers = [
      sampleTrigger('a'),
      sampleTrigger('b', { primary: 3, every: 2 }),
      sampleTrigger('c', { primary: 3, every: 3, generation: 7 }),
    ];
    answer = async (primary) => ({ undecided: primary === 3 ? [4] : [] });
    held = new Set([1, 2, 3, 4]);
    look();
    await until(() => held.size === 1);
    expect(held).toEqual(new Set([4]));
    expect(questions.slice(0, 2).map(({ primary, steps }) => [primary, steps])).toEqual([
      [0, [1, 2, 3, 4]],
      [3, [2, 3, 4]],
    ]);
    expect(questions[1]?.triggers).toEqual([
      { name: 'b', generation: 1 },
      { name: 'c', generation: 7 },
    ]);
  });

  test('no answer keeps everything, is told once, and is asked again', async () => {
    answer = async () => {
      throw new UnavailableError('no engine', 100);
    };
    held = new Set([1, 2]);
    look();
    await until(() => questions.length >= 2);
    expect(held.size).toBe(2);
    answer = async () => ({}) as UndecidedReply;
    await until(() => questions.length >= 3);
    expect(held.size).toBe(2);
    expect(log.lines).toHaveLength(1);
    answer = async () => ({ undecided: [] });
    await until(() => held.size === 0);
  });

  test('while triggers may be unknown everything is undecided, and nobody is asked', async () => {
    isCurrent = false;
    triggers = [];
    held = new Set([1]);
    look();
    expect([held.size, questions.length]).toEqual([1, 0]);
    isCurrent = true;
    look();
    expect(held.size).toBe(0);
  });

  test('an answer is forgotten with the trigger, with the run, and with another partition of the step', async () => {
    const decide = async (step: number) => {
      const before = questions.length;
      held = new Set([step]);
      look();
      await until(() => held.size === 0);
      return questions.length - before;
    };
    expect([await decide(1), await decide(1)]).toEqual([1, 0]);
    undecided.forget({ variable: 'U' });
    undecided.forget({ run: 's' });
    undecided.arrived({ variable: 'T', run: 'r', step: 2 });
    expect(await decide(1)).toBe(0);
    undecided.forget({ variable: 'T' });
    expect(await decide(1)).toBe(1);
    undecided.forget({ run: 'r' });
    expect(await decide(1)).toBe(1);
    undecided.arrived({ variable: 'T', run: 'r', step: 1 });
    expect(await decide(1)).toBe(1);
  });

  test('what is kept is looked at anew where its triggers change', async () => {
    open = new Set([1]);
    held = new Set([1]);
    look();
    await until(() => questions.length > 1);
    triggers = [];
    undecided.forget({ variable: 'T' });
    expect(held.size).toBe(0);
  });

  test('an answer to a question that a rollback overtook releases nothing', async () => {
    let reply: (value: UndecidedReply) => void = () => undefined;
    let askedFor: () => void = () => undefined;
    const asked = new Promise<void>((resolve) => {
      askedFor = resolve;
    });
    answer = () => {
      askedFor();
      return new Promise((resolve) => {
        reply = resolve;
      });
    };
    held = new Set([1, 2]);
    look();
    await asked;
    undecided.forget({ run: 'r' });
    answer = async () => ({ undecided: [1] });
    look();
    reply({ undecided: [] });
    await until(() => held.size === 1);
    expect([[...held], questions.length]).toEqual([[1], 2]);
  });

  test('thousands of steps and triggers are asked for in parts', async () => {
    triggers = Array.from({ length: 1500 }, (_, i) => sampleTrigger(`t${i}`));
    held = new Set(Array.from({ length: 2500 }, (_, step) => step));
    open = new Set([7, 2400]);
    look();
    await until(() => held.size === 2);
    expect(held).toEqual(open);
    const firstRound = questions.filter(({ steps }) => steps.length > 2);
    expect(firstRound.map(({ steps, triggers: named }) => `${steps.length} ${named.length}`)).toEqual([
      '1000 1000',
      '1000 500',
      '1000 1000',
      '1000 500',
      '500 1000',
      '500 500',
    ]);
  });
});
