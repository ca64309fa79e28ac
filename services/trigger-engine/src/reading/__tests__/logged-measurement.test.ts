import { expect, it } from '@jest/globals';
import type { CheckDefinition } from '@tidegate/protocol';
import type { LoggedDecision } from '../../decision-log/logged-decision.js';
import { loggedMeasurement } from '../logged-measurement.js';

const digest = `sha256:${'0'.repeat(64)}`;
const check: Record<string, CheckDefinition> = {
  mx: { reduce: 'max' },
  hist: { reduce: 'histogram', range: [0, 1] },
  score: { wasm: { digest, export: 'score' } },
  ext: { call: { subject: 'a.b', timeoutMs: 1 } },
};

it('has numbers where they stand as texts, but leaves what a responder answered', () => {
  const values = { mx: '-Infinity', hist: [1, 2], score: ['NaN', 1, '-0'], ext: { state: 'NaN' } } as const;
  const decision = { run: 'r', epoch: 1, step: 2, variable: 'T', time: 3, values, failures: { bad: 'why' } };
  const measurement = loggedMeasurement({ check }, decision as unknown as LoggedDecision);
  expect(Object.fromEntries(measurement.values)).toEqual({
    mx: -Infinity,
    hist: [1, 2],
    score: [Number.NaN, 1, -0],
    ext: { state: 'NaN' },
  });
  expect(measurement.failures.get('bad')).toBe('why');
  expect(measurement).toMatchObject({ run: 'r', epoch: 1, step: 2, variable: 'T', time: 3 });
  expect(measurement.parts).toEqual({ unknown: 'the pieces were not kept' });
});
