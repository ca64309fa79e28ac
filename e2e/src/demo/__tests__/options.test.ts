import { describe, expect, test } from '@jest/globals';
import { HELP, parseOptions, UsageError } from '../options.js';

describe('parseOptions', () => {
  test('stages a plane and then a volume when nothing is asked for', () => {
    const options = parseOptions([]);
    expect(options?.simulations.map(({ shape }) => shape)).toEqual([
      [384, 384],
      [48, 48, 48],
    ]);
    expect(options).toMatchObject({ raw: 2, keep: false });
    for (const { window, steps, writers } of options?.simulations ?? []) {
      expect(steps).toBeGreaterThan(window);
      expect(writers).toBe(4);
    }
  });

  test('takes what is given for every simulation', () => {
    const args = ['--shape', '64,32', '--shape=16x20x24', '--steps', '7', '--substeps', '3', '--writers', '5'];
    const options = parseOptions([...args, '--raw', '1', '--seed', '9', '--keep', '--out', 'pictures']);
    const common = { steps: 7, substeps: 3, writers: 5, seed: 9 };
    expect(options).toMatchObject({
      simulations: [
        { shape: [64, 32], ...common },
        { shape: [16, 20, 24], ...common },
      ],
      raw: 1,
      keep: true,
      out: 'pictures',
    });
  });

  test('a small domain gets a halo that is no wider than itself, and no more writers than cells', () => {
    expect(parseOptions(['--shape', '2,3', '--writers', '9'])?.simulations[0]).toMatchObject({
      substeps: 2,
      writers: 6,
    });
  });

  test('has one writer of the first simulation get a bit wrong, unless there is not time enough to catch it', () => {
    const errorSteps = (...args: string[]) => parseOptions(args)?.simulations.map(({ errorStep }) => errorStep);
    expect(errorSteps()).toEqual([37, undefined]);
    expect(errorSteps('--shape', '8,8,8', '--steps', '12')).toEqual([7]);
    expect(errorSteps('--shape', '8,8,8', '--steps', '11')).toEqual([undefined]);
    expect(errorSteps('--no-error')).toEqual([undefined, undefined]);
  });

  test('asks for help', () => {
    expect(parseOptions(['--steps', '3', '--help'])).toBeUndefined();
    for (const name of ['shape', 'steps', 'writers', 'substeps', 'raw', 'seed', 'no-error', 'keep']) {
      expect(HELP).toContain(`  --${name} `);
    }
    expect(Math.max(...HELP.split('\n').map((line) => line.length))).toBeLessThanOrEqual(90);
  });

  test.each([
    [['--shape', '64'], '--shape'],
    [['--shape', '4,4,4,4'], '--shape'],
    [['--shape', '0,4'], '--shape'],
    [['--shape', '4,-4'], '--shape'],
    [['--shape', '99999,99999'], 'cells'],
    [['--shape', '4,4', '--shape', '8,8'], 'once'],
    [['--steps', '0'], '--steps'],
    [['--steps', '1e3'], '--steps'],
    [['--writers', '65'], '--writers'],
    [['--shape', '8,9', '--substeps', '9'], '--substeps'],
    [['--raw', ''], '--raw'],
    [['--nope'], '--nope'],
    [['more'], 'more'],
  ])('refuses %p', (args, named) => {
    expect(() => parseOptions(args)).toThrow(UsageError);
    expect(() => parseOptions(args)).toThrow(named);
  });
});
