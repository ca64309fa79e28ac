import { expect, test } from '@jest/globals';
import * as exported from '../index.js';

test('the public exports', () => {
  expect(Object.keys(exported).sort()).toEqual(['formatBytes', 'startTidegate', 'tableLines']);
});
