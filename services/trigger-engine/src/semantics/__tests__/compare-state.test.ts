import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { advance, type CompareRules, type CompareState, INITIAL_STATE, type Truth } from '../compare-state.js';
import { type ReferenceStep, referenceSeries } from './compare-reference.js';

const RULES: CompareRules = {
  for: 0,
  keepFiringFor: 0,
  edge: 'level',
  cooldown: 0,
  history: 8,
  onUnknown: 'hold',
  recovery: false,
  tracked: [],
  stateful: true,
};

/** A state as the decision log gives it back. */
function stored(state: CompareState): CompareState {
  return JSON.parse(JSON.stringify(state));
}

const UNKNOWN: Truth = { unknown: 'no data' };
/** Condition and recovery: `#` holds, `.` does not, `r` does not and has recovered, `?` unknown, `!` unknown recovery. */
const SIGNS: Readonly<Record<string, readonly [Truth, Truth]>> = {
  '#': [true, false],
  '.': [false, false],
  r: [false, true],
  '?': [UNKNOWN, false],
  '!': [false, UNKNOWN],
};
const PHASES = { inactive: '-', pending: 'p', firing: 'F' } as const;
const VERDICTS = { fired: '*', quiet: ' ', unknown: 'u' } as const;

/** Decides a series with a restart before every step; returns its phases and its verdicts, one character a step. */
function play(
  rules: Partial<CompareRules>,
  series: string,
  steps?: readonly number[],
): { phases: string; verdicts: string } {
  let state = INITIAL_STATE;
  let phases = '';
  let verdicts = '';
  for (const [index, sign] of [...series].entries()) {
    const [condition, recovery] = SIGNS[sign] ?? [false, false];
    const outcome = advance({ ...RULES, ...rules }, stored(state), {
      step: steps?.[index] ?? index,
      condition,
      recovery,
    });
    state = outcome.state;
    phases += PHASES[state.phase];
    verdicts += outcome.late ? (outcome.verdict === 'unknown' ? 'U' : 'L') : VERDICTS[outcome.verdict];
  }
  return { phases, verdicts };
}

interface Row {
  readonly what: string;
  readonly rules: Partial<CompareRules>;
  readonly series: string;
  readonly phases: string;
  readonly verdicts: string;
  readonly steps?: readonly number[];
}

const TABLE: readonly Row[] = [
  { what: 'level fires at every step that holds', rules: {}, series: '.##.#', phases: '-FF-F', verdicts: ' ** *' },
  { what: 'rising fires at the first', rules: { edge: 'rising' }, series: '##.##', phases: 'FF-FF', verdicts: '*  * ' },
  { what: 'for 1 is for 0', rules: { for: 1 }, series: '.##.#', phases: '-FF-F', verdicts: ' ** *' },
  { what: 'for 3 needs three in a row', rules: { for: 3 }, series: '##.####', phases: 'pp-ppFF', verdicts: '     **' },
  {
    what: 'for 2, rising',
    rules: { for: 2, edge: 'rising' },
    series: '###.###',
    phases: 'pFF-pFF',
    verdicts: ' *   * ',
  },
  {
    what: 'keepFiringFor bridges a gap',
    rules: { keepFiringFor: 2 },
    series: '#..#...',
    phases: 'FFFFFF-',
    verdicts: '****** ',
  },
  {
    what: 'keepFiringFor with rising does not fire anew after a bridged gap',
    rules: { keepFiringFor: 2, edge: 'rising' },
    series: '#..#...#',
    phases: 'FFFFFF-F',
    verdicts: '*      *',
  },
  {
    what: 'recovery is hysteresis: in between nothing changes',
    rules: { recovery: true },
    series: '..#..r.#r',
    phases: '--FFF--F-',
    verdicts: '  ***  * ',
  },
  {
    what: 'the condition wins over recovery, and a pending alarm needs none',
    rules: { recovery: true, for: 2 },
    series: '#.##.r',
    phases: 'p-pFF-',
    verdicts: '   ** ',
  },
  {
    what: 'keepFiringFor counts from recovery, in a row',
    rules: { recovery: true, keepFiringFor: 1 },
    series: '#r.rr.',
    phases: 'FFFF--',
    verdicts: '****  ',
  },
  {
    what: 'cooldown lets so many steps pass',
    rules: { cooldown: 2 },
    series: '#######',
    phases: 'FFFFFFF',
    verdicts: '*  *  *',
  },
  {
    what: 'cooldown goes on while quiet',
    rules: { cooldown: 2 },
    series: '#..#.#',
    phases: 'F--F-F',
    verdicts: '*  *  ',
  },
  {
    what: 'an edge that falls into the cooldown does not fire',
    rules: { cooldown: 2, edge: 'rising' },
    series: '#.###.#',
    phases: 'F-FFF-F',
    verdicts: '*     *',
  },
  {
    what: 'hold: an unknown step changes nothing and fires nothing',
    rules: {},
    series: '#?#.?#',
    phases: 'FFF--F',
    verdicts: '*u* u*',
  },
  { what: 'hold: a streak survives it', rules: { for: 2 }, series: '#?#?.', phases: 'ppFF-', verdicts: ' u*u ' },
  {
    what: 'hold: so does the count of released steps',
    rules: { keepFiringFor: 1 },
    series: '#.?.',
    phases: 'FFF-',
    verdicts: '**u ',
  },
  {
    what: 'clear: the alarm is over at once',
    rules: { onUnknown: 'clear', keepFiringFor: 3 },
    series: '#?#',
    phases: 'F-F',
    verdicts: '*u*',
  },
  {
    what: 'clear: a streak begins anew',
    rules: { onUnknown: 'clear', for: 2 },
    series: '#?##',
    phases: 'p-pF',
    verdicts: ' u *',
  },
  {
    what: 'fire: it counts as holding',
    rules: { onUnknown: 'fire', for: 2 },
    series: '.??.',
    phases: '-pF-',
    verdicts: ' u* ',
  },
  {
    what: 'fire: with rising once',
    rules: { onUnknown: 'fire', edge: 'rising' },
    series: '??.',
    phases: 'FF-',
    verdicts: '*u ',
  },
  {
    what: 'fire: not in the cooldown',
    rules: { onUnknown: 'fire', cooldown: 1 },
    series: '???',
    phases: 'FFF',
    verdicts: '*u*',
  },
  {
    what: 'an unknown recovery is unknown only where it matters',
    rules: { recovery: true },
    series: '!#!r!',
    phases: '-FF--',
    verdicts: ' *u  ',
  },
  {
    what: 'an unknown recovery with clear, and with fire',
    rules: { recovery: true, onUnknown: 'clear' },
    series: '#!#',
    phases: 'F-F',
    verdicts: '*u*',
  },
  {
    what: 'missing steps are not there: counts are of decided steps',
    rules: { for: 3 },
    series: '###.',
    steps: [0, 100, 250, 900],
    phases: 'ppF-',
    verdicts: '  * ',
  },
  {
    what: 'missing steps and the cooldown',
    rules: { cooldown: 1 },
    series: '###',
    steps: [10, 20, 1000],
    phases: 'FFF',
    verdicts: '* *',
  },
  {
    what: 'a late step is recorded, fires nothing and changes nothing',
    rules: { for: 2 },
    series: '##.#?#',
    steps: [1, 4, 3, 2, 0, 5],
    phases: 'pFFFFF',
    verdicts: ' *LLU*',
  },
  {
    what: 'everything together',
    rules: { for: 2, keepFiringFor: 1, recovery: true, cooldown: 1, edge: 'level' },
    series: '##.#r#rr##',
    phases: 'pFFFFFF-pF',
    verdicts: ' * * *   *',
  },
];

describe('conformance', () => {
  test.each(TABLE)('$what', ({ rules, series, phases, verdicts, steps }) => {
    expect(play(rules, series, steps)).toEqual({ phases, verdicts });
  });

  test('rules that remember nothing ignore the state and take steps in any order', () => {
    const rules = { stateful: false };
    expect(play(rules, '#.?#', [3, 1, 2, 0])).toEqual({ phases: 'F--F', verdicts: '* u*' });
    expect(play(rules, '##', [1, 1])).toEqual({ phases: 'FF', verdicts: '**' });
  });
});

describe('advance', () => {
  test('says why', () => {
    const rules = { ...RULES, for: 2, cooldown: 2 };
    const reasons: string[] = [];
    let state = INITIAL_STATE;
    for (const [step, condition] of [false, true, true, true, UNKNOWN].entries()) {
      const outcome = advance(rules, state, { step, condition });
      state = outcome.state;
      reasons.push(outcome.reason);
    }
    reasons.push(advance(rules, state, { step: 2, condition: true }).reason.replace('2 came', '1½ came'));
    expect(reasons).toEqual([
      'the condition does not hold',
      'the condition holds for 1 of 2 steps',
      'the condition holds, for 2 steps or more',
      'the condition holds, for 2 steps or more, but it cools down for 2 more steps',
      'unknown: no data',
      'late: step 1½ came after step 4 was decided; its condition held',
    ]);
  });

  test('counts late steps', () => {
    let state = advance(RULES, INITIAL_STATE, { step: 5, condition: true }).state;
    for (const step of [1, 2, 3]) state = advance(RULES, state, { step, condition: true }).state;
    expect(state).toMatchObject({ late: 3, lastStep: 5, phase: 'firing' });
  });

  test('refuses the step that it decided last', () => {
    const { state } = advance(RULES, INITIAL_STATE, { step: 5, condition: true });
    expect(() => advance(RULES, state, { step: 5, condition: true })).toThrow(RangeError);
  });

  test('does not touch the state that it is given', () => {
    const state = Object.freeze({ ...INITIAL_STATE, history: Object.freeze({ v: Object.freeze([[1, 2] as const]) }) });
    const rules = { ...RULES, tracked: ['v'] };
    const next = advance(rules, state, { step: 2, condition: true, values: new Map([['v', Number.NaN]]) }).state;
    expect(next.history).toEqual({
      v: [
        [2, 'NaN'],
        [1, 2],
      ],
    });
  });
});

const truth = fc.oneof({ weight: 5, arbitrary: fc.boolean() }, { weight: 1, arbitrary: fc.constant(UNKNOWN) });
const rulesArbitrary: fc.Arbitrary<CompareRules> = fc.record({
  for: fc.integer({ min: 0, max: 4 }),
  keepFiringFor: fc.integer({ min: 0, max: 3 }),
  edge: fc.constantFrom('level', 'rising'),
  cooldown: fc.integer({ min: 0, max: 4 }),
  history: fc.constant(4),
  onUnknown: fc.constantFrom('hold', 'fire', 'clear'),
  recovery: fc.boolean(),
  tracked: fc.constant([]),
  stateful: fc.constant(true),
});
/** Mostly rising steps with gaps, now and then one from before. */
const seriesArbitrary = fc
  .array(
    fc.record({
      advance: fc.oneof(
        { weight: 6, arbitrary: fc.integer({ min: 1, max: 3 }) },
        { weight: 1, arbitrary: fc.constant(0) },
      ),
      condition: truth,
      recovery: truth,
    }),
    { maxLength: 40 },
  )
  .map((items) => {
    let clock = 0;
    const taken = new Set<number>();
    const steps: ReferenceStep[] = [];
    for (const { advance: by, condition, recovery } of items) {
      clock += by * 2;
      // An odd number below the clock is a step that was jumped over.
      const step = by === 0 ? clock - 1 : clock;
      if (step < 0 || taken.has(step)) continue;
      taken.add(step);
      steps.push({ step, condition, recovery });
    }
    return steps;
  });

describe('against the reference', () => {
  test('phases, verdicts and lateness agree on random series, with a restart at every step', () => {
    fc.assert(
      fc.property(rulesArbitrary, seriesArbitrary, (rules, series) => {
        let state = INITIAL_STATE;
        const outcomes = series.map((step) => {
          const outcome = advance(rules, stored(state), step);
          state = outcome.state;
          expect(stored(state)).toEqual(state);
          expect(outcome.fires).toBe(outcome.verdict === 'fired');
          return { phase: state.phase, verdict: outcome.verdict, late: outcome.late };
        });
        expect(outcomes).toEqual(referenceSeries(rules, series));
      }),
      { numRuns: 3000 },
    );
  });

  test('the state stays small: its numbers are bounded by the rules', () => {
    fc.assert(
      fc.property(rulesArbitrary, seriesArbitrary, (rules, series) => {
        let state = INITIAL_STATE;
        for (const step of series) {
          state = advance(rules, state, step).state;
          expect(state.held).toBeLessThanOrEqual(Math.max(1, rules.for));
          expect(state.released).toBeLessThanOrEqual(rules.keepFiringFor);
          expect(state.cooling).toBeLessThanOrEqual(rules.cooldown);
        }
      }),
    );
  });
});
