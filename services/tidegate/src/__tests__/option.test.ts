import { describe, expect, test } from '@jest/globals';
import { Command } from 'commander';
import { addOption, emptyAsUnset, environmentName } from '../option.js';

describe('addOption', () => {
  test('lets the environment stand in, below the command line', () => {
    process.env['TIDEGATE_TEST_SIZE'] = '7';
    try {
      const command = () => addOption(new Command(), '--test-size <n>', 'size', { parse: Number, default: 1 });
      expect(command().parse([], { from: 'user' }).opts()).toEqual({ testSize: 7 });
      expect(command().parse(['--test-size', '8'], { from: 'user' }).opts()).toEqual({ testSize: 8 });
    } finally {
      delete process.env['TIDEGATE_TEST_SIZE'];
    }
  });

  test('leaves an option without a value unset, though it tells a default', () => {
    const command = addOption(new Command(), '--size <n>', 'size', { environment: false, defaultText: 'some' });
    expect(command.parse([], { from: 'user' }).opts()).toEqual({});
  });
});

test('environmentName', () => {
  expect(environmentName('data-dir')).toBe('TIDEGATE_DATA_DIR');
});

test('emptyAsUnset drops empty variables and flags that are off', () => {
  const env = { TIDEGATE_MEMORY: '', TIDEGATE_JSON: 'false', TIDEGATE_FOLLOW: '1', TIDEGATE_RAW: '0', OTHER: '' };
  emptyAsUnset(env);
  expect(env).toEqual({ TIDEGATE_FOLLOW: '1', TIDEGATE_RAW: '0', OTHER: '' });
});
