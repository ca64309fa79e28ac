import { expect, test } from '@jest/globals';
import { makeBox } from '@tidegate/geometry';
import { stagedRuns } from '../staged-runs.js';
import { VariableIndex } from '../variable-index.js';
import { entryOf, heldOf } from './painted.js';
import { variableOf } from './records.js';

test('lists the runs with a partition that the shards were told of', () => {
  const variable = new VariableIndex(variableOf('v', [16]));
  const put = (run: string, at: number, shards: readonly number[]) =>
    variable.openRun(run).change(0, (step) => {
      step.adopt(heldOf(variable.map, entryOf(at, makeBox([at], [at + 1]), { run }), shards));
    });
  put('b', 0, [0]);
  put('a', 1, [0, 1]);
  put('a', 2, [0, 1]);
  put('c', 9, [2]);
  variable.openRun('empty').raiseFloor(3);
  expect(stagedRuns(variable, [0])).toEqual(['a', 'b']);
  expect(stagedRuns(variable, [1, 3])).toEqual(['a']);
  expect(stagedRuns(variable, [0, 1, 2, 3])).toEqual(['a', 'b', 'c']);
  expect(stagedRuns(variable, [3])).toEqual([]);
});
