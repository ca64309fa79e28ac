import { expect, test } from '@jest/globals';
import * as array from '../index.js';

test('public exports', () => {
  expect(Object.keys(array).sort()).toEqual([
    'ArrayShapeError',
    'DTYPES',
    'NpyFormatError',
    'copyBox',
    'decodeNpy',
    'encodeNpy',
    'encodeNpyHeader',
    'extractBox',
    'forEachRun',
    'isArrayError',
    'isDType',
    'isOpaque',
    'itemSize',
    'packedBytes',
    'parseNpyHeader',
    'runShape',
    'typedView',
  ]);
});
