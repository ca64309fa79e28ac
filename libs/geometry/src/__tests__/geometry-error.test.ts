import { expect, test } from '@jest/globals';
import * as errors from '../geometry-error.js';

test.each([
  ['BoxSyntaxError', errors.BoxSyntaxError],
  ['InvalidBoxError', errors.InvalidBoxError],
  ['InvalidShapeError', errors.InvalidShapeError],
  ['InvalidShardMapError', errors.InvalidShardMapError],
] as const)('%s carries its name, what was expected and what came', (name, Tagged) => {
  const error = new Tagged('thing', 'this', 'that');
  expect(error).toMatchObject({ name, expected: 'this', actual: 'that', message: 'thing: expected this, got that' });
  expect(errors.isGeometryError(error)).toBe(true);
  expect(String(error)).toBe(`${name}: thing: expected this, got that`);
});

test('other errors are not mistaken for bad geometry', () => {
  expect(errors.isGeometryError(new RangeError('x'))).toBe(false);
  expect(errors.isGeometryError(undefined)).toBe(false);
});
