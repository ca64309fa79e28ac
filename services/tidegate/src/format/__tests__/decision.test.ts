import { describe, expect, test } from '@jest/globals';
import type { DecisionReply } from '@tidegate/protocol';
import { decisionLine, valuesText, valueText } from '../decision.js';

describe('values', () => {
  test('are shown in short', () => {
    expect(valuesText({ mx: 3.123456789, bad: 0, where: [1, 2], odd: 'NaN' })).toBe(
      'mx 3.12346, bad 0, where [1,2], odd NaN',
    );
    expect(valuesText({})).toBe('');
    expect(valueText(null)).toBe('null');
    expect(valueText(undefined)).toBe('none');
    expect(valueText(true)).toBe('true');
    expect(valueText(Array.from({ length: 100 }, () => 0))).toHaveLength(61);
  });
});

test('a decision is one line', () => {
  const decision: DecisionReply = {
    ...{ run: 'r', epoch: 0, step: 7, trigger: 'hot', generation: 2, verdict: 'fired', state: 'firing' },
    ...{ late: false, indicator: true, values: { mx: 3 }, reason: 'the condition holds', committedAt: '' },
  };
  expect(decisionLine(decision)).toBe('generation 2  run r  step 7  fired (firing)  mx 3  the condition holds');
  expect(decisionLine({ ...decision, epoch: 1, late: true, values: {} })).toBe(
    'generation 2  run r  step 7 of epoch 1  fired (firing, late)  the condition holds',
  );
});
