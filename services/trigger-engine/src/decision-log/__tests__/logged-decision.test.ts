import { describe, expect, test } from '@jest/globals';
import { decisionHeaders, decodeDecision, encodeDecision, readDecisionHeaders } from '../logged-decision.js';
import { loggedDecision } from './logged-samples.js';

const part = { box: '0:1', bytes: 8, values: { mx: 1 } };

describe('a logged decision', () => {
  test('is read as it was written', () => {
    const decision = loggedDecision({ values: { mx: 'NaN', at: [1, 2] }, parts: [part] });
    expect(decodeDecision(encodeDecision(decision, 100_000))).toEqual(decision);
  });

  test.each([{}, { partition: '01M86YTK3J9V7EDDE8PEMBYMA9' }])('tells its key in headers: %j', (more) => {
    const head = { step: 7, epoch: 2, verdict: 'fired', ...more } as const;
    const headers: Readonly<Record<string, unknown>> = decisionHeaders(head);
    expect(readDecisionHeaders((name) => String(headers[name] ?? ''))).toEqual(head);
  });

  test('leaves out its parts where they are too many or too long', () => {
    const many = loggedDecision({ parts: Array.from({ length: 513 }, () => part) });
    expect(decodeDecision(encodeDecision(many, 1 << 20)).parts).toBeUndefined();
    const long = loggedDecision({ parts: [{ ...part, values: { text: 'x'.repeat(5000) } }] });
    const encoded = encodeDecision(long, 4000);
    expect(encoded.length).toBeLessThanOrEqual(4000);
    expect(decodeDecision(encoded)).toEqual(loggedDecision());
  });

  test('leaves out its longest values where they would not fit, and says so', () => {
    const values = { big: 'x'.repeat(60_000), bigger: 'y'.repeat(70_000), small: 1 };
    const encoded = encodeDecision(loggedDecision({ values }), 64_000);
    expect(encoded.length).toBeLessThanOrEqual(64_000);
    const read = decodeDecision(encoded);
    expect(Object.keys(read.values)).toEqual(['big', 'small']);
    expect(read.failures).toEqual({ bigger: expect.stringContaining('too long for the log') });
    expect(read.verdict).toBe('quiet');
  });
});
