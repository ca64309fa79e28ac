import { describe, expect, test } from '@jest/globals';
import { type CompareState, INITIAL_STATE } from '../compare-state.js';
import { decideStep, explainStep, type Measurement } from '../decide-step.js';
import { type CompiledTrigger, validateDefinition } from '../validate-definition.js';

function trigger(compare: object): CompiledTrigger {
  const definition = { name: 'hot', on: { variable: 'T' }, check: { mx: { reduce: 'max' } }, compare };
  const { triggers } = validateDefinition(definition, { variable: { name: 'T', dtype: 'float64', shape: [8] } });
  if (triggers[0] === undefined) throw new Error('no trigger');
  return triggers[0];
}

function measured(step: number, mx: number | undefined): Measurement {
  return {
    run: 'r',
    variable: 'T',
    step,
    epoch: 0,
    time: 0,
    values: new Map(mx === undefined ? [] : [['mx', mx]]),
    failures: new Map(mx === undefined ? [['mx', 'no data']] : []),
    parts: [],
  };
}

/** Decides a series with a restart before every step. */
function decideAll(compiled: CompiledTrigger, values: readonly (number | undefined)[]) {
  let state: CompareState = INITIAL_STATE;
  return values.map((value, step) => {
    const outcome = decideStep(compiled, JSON.parse(JSON.stringify(state)), measured(step, value));
    state = outcome.state;
    return outcome;
  });
}

describe('decideStep', () => {
  test('hysteresis from expressions', () => {
    const outcomes = decideAll(trigger({ condition: 'mx > 10', recovery: 'mx < 5' }), [1, 11, 7, 4, 7, 12]);
    expect(outcomes.map(({ verdict }) => verdict)).toEqual(['quiet', 'fired', 'fired', 'quiet', 'quiet', 'fired']);
    expect(outcomes.map(({ indicator }) => indicator)).toEqual([false, true, false, false, false, true]);
  });

  test('the history of expressions is that of the decided steps', () => {
    const values = [1, 2, 4, undefined, 5, Number.NaN, 6, 9];
    const outcomes = decideAll(trigger({ condition: 'delta(history.mx) > 1.5', history: 3 }), values);
    const indicators = outcomes.map(({ indicator }) => indicator);
    expect(indicators).toEqual([null, false, true, null, false, false, false, true]);
    expect(outcomes[3]).toMatchObject({ verdict: 'unknown', reason: 'unknown: check mx: no data' });
    expect(outcomes[0]?.reason).toBe('unknown: delta() needs 2 values, 1 known');
    expect(outcomes.at(-1)?.state.history).toEqual({
      mx: [
        [7, 9],
        [6, 6],
      ],
    });
  });

  test('a late step sees the history before it and changes nothing', () => {
    const compiled = trigger({ condition: 'delta(history.mx) > 0.5' });
    let state = INITIAL_STATE;
    for (const [step, value] of [
      [0, 1],
      [4, 9],
    ] as const) {
      state = decideStep(compiled, state, measured(step, value)).state;
    }
    const late = decideStep(compiled, state, measured(2, 3));
    expect(late).toMatchObject({ late: true, fires: false, indicator: true, verdict: 'quiet' });
    expect(late.state).toEqual({ ...state, late: 1 });
  });

  test('recovery is evaluated only where it matters', () => {
    const compiled = trigger({ condition: 'mx > 10', recovery: 'movavg(history.mx, 2, 1) < 5.0' });
    const outcomes = decideAll(compiled, [1, 1, 11, 1]);
    expect(outcomes.map(({ verdict }) => verdict)).toEqual(['quiet', 'quiet', 'fired', 'fired']);
  });

  test('a trigger without memory gives the same in any order', () => {
    const compiled = trigger({ condition: 'mx > 10' });
    const steps = [3, 0, 2, 1];
    let state = INITIAL_STATE;
    const shuffled = steps.map((step) => {
      const outcome = decideStep(compiled, state, measured(step, step * 10));
      state = outcome.state;
      return [step, outcome] as const;
    });
    const alone = steps.map((step) => [step, decideStep(compiled, INITIAL_STATE, measured(step, step * 10))] as const);
    expect(shuffled).toEqual(alone);
    expect(state).toEqual({ ...INITIAL_STATE, phase: 'inactive' });
  });
});

test('explainStep gives the parts of both expressions', () => {
  const compiled = trigger({ condition: 'mx > 10 && step > 2', recovery: 'mx < 5' });
  expect(explainStep(compiled, INITIAL_STATE, measured(1, 7))).toEqual({
    condition: [
      { text: 'mx > 10 && step > 2', value: false },
      { text: 'mx > 10', value: false },
      { text: 'mx', value: 7 },
      { text: 'step > 2', value: false },
      { text: 'step', value: 1 },
    ],
    recovery: [
      { text: 'mx < 5', value: false },
      { text: 'mx', value: 7 },
    ],
  });
});
