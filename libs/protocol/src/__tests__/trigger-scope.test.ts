import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { appliesTo, matchesRun } from '../trigger-scope.js';

test('matchesRun agrees with a regular expression', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '-'), maxLength: 8 });
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '-', '*'), maxLength: 6 });
  fc.assert(
    fc.property(pattern, text, (glob, run) => {
      expect(matchesRun(glob, run)).toBe(new RegExp(`^${glob.replaceAll('*', '.*')}$`).test(run));
    }),
    { numRuns: 2000 },
  );
});

test('a trigger applies to every n-th step of the runs that match', () => {
  const scope = { run: 'x*', every: 3 };
  const steps = Array.from({ length: 8 }, (_, step) => step).filter((step) => appliesTo(scope, 'xy', step));
  expect(steps).toEqual([0, 3, 6]);
  expect(appliesTo(scope, 'y', 0)).toBe(false);
});
