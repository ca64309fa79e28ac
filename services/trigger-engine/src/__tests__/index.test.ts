import { expect, test } from '@jest/globals';
import * as engine from '../index.js';

test('exports what the launcher needs, and no more', () => {
  expect(Object.keys(engine)).toEqual(['startTriggerEngine']);
});
