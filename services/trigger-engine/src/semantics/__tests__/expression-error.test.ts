import { expect, test } from '@jest/globals';
import { Environment } from '@marcbachmann/cel-js';
import { ExpressionError, problemOf, refusalOf } from '../expression-error.js';

test('says the column, and the line where there are several', () => {
  const one = new ExpressionError('mx > foo', 5, 'Unknown variable: foo');
  expect(one).toMatchObject({ line: 1, column: 6, message: 'Unknown variable: foo (column 6)' });
  const two = new ExpressionError('a &&\n  b', 7, 'b?');
  expect(two).toMatchObject({ line: 2, column: 3, message: 'b? (line 2, column 3)' });
});

test('a message is one line', () => {
  expect(new ExpressionError('x', 0, 'a\n  b\tc').message).toBe('a b c (column 1)');
});

test('errors of the library keep their place and lose their excerpt', () => {
  const { error } = new Environment().check('1 + foo');
  expect(error?.message).toContain('\n');
  expect(problemOf(error)).toBe('Unknown variable: foo');
  expect(refusalOf('1 + foo', error)).toMatchObject({ column: 5, problem: 'Unknown variable: foo', cause: error });
});

test('other errors are told as well', () => {
  expect(refusalOf('x', new RangeError('Maximum call stack size exceeded')).problem).toBe('it nests too deeply');
  expect(refusalOf('x', new Error('odd')).problem).toBe('odd');
  const own = new ExpressionError('x', 0, 'own');
  expect(refusalOf('x', own)).toBe(own);
});
