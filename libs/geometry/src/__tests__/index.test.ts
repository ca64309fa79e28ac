import { expect, test } from '@jest/globals';
import * as geometry from '../index.js';

test('the public exports', () => {
  expect(Object.keys(geometry).sort()).toEqual([
    'BoxIndex',
    'BoxSyntaxError',
    'GeometryError',
    'InvalidBoxError',
    'InvalidShapeError',
    'InvalidShardMapError',
    'MAX_DIMENSIONS',
    'MAX_SHARDS',
    'boxOfShape',
    'coalesce',
    'contains',
    'createShardMap',
    'equals',
    'formatBox',
    'hilbertCoords',
    'hilbertIndex',
    'intersect',
    'intersects',
    'isCovered',
    'isGeometryError',
    'makeBox',
    'parseBox',
    'shapeOf',
    'splitBox',
    'subtract',
    'subtractAll',
    'tile',
    'volume',
    'within',
  ]);
});
