import type { Environment } from '@marcbachmann/cel-js';
import type { Series } from './history.js';

/** A list that an expression got as `history.<check>`, to the steps of its values: lists themselves carry none. */
export type SeriesSteps = WeakMap<readonly unknown[], readonly number[]>;

/** Names of the functions over series. */
export const SERIES_FUNCTIONS = ['movavg', 'delta', 'rate'] as const;
export type SeriesFunction = (typeof SERIES_FUNCTIONS)[number];

/** The values of a series that a call needs at least, or undefined where its arguments are not integers in range. */
export function valuesNeeded(name: SeriesFunction, counts: readonly number[]): number | undefined {
  const [count, skip = 0] = counts;
  if (!Number.isInteger(count ?? 1) || (count ?? 1) < 1 || !Number.isInteger(skip) || skip < 0) return undefined;
  return name === 'movavg' ? skip + (count ?? 1) : (count ?? 1) + 1;
}

/**
 * Mean of the `count` newest values after leaving out the `skip` newest; of all where `count` is not given. Where there are
 * fewer it is the mean of those.
 * @throws RangeError where there is none
 */
export function movavg(values: readonly number[], count = values.length, skip = 0): number {
  const to = Math.min(values.length, skip + count);
  if (to <= skip) throw new RangeError(`movavg() has no value to average: ${values.length} known, ${skip} left out`);
  let sum = 0;
  for (let at = skip; at < to; at++) sum += values[at] as number;
  return sum / (to - skip);
}

/**
 * The newest value minus the one `back` values before it.
 * @throws RangeError where there is none so far back
 */
export function delta(values: readonly number[], back = 1): number {
  if (back >= values.length) {
    throw new RangeError(`delta() needs ${back + 1} values, ${values.length} known`);
  }
  return (values[0] as number) - (values[back] as number);
}

/**
 * Change per step: `delta` over the difference of the two steps.
 * @throws RangeError where there is no value so far back
 */
export function rate({ values, steps }: Series, back = 1): number {
  if (back >= values.length) throw new RangeError(`rate() needs ${back + 1} values, ${values.length} known`);
  return delta(values, back) / ((steps[0] as number) - (steps[back] as number));
}

/** Lists whose type is known only at run time may hold anything. */
function numbers(name: SeriesFunction, list: readonly unknown[]): readonly number[] {
  for (const value of list) {
    if (typeof value !== 'number')
      throw new TypeError(`${name}() takes a list of numbers, got a ${typeof value} in it`);
  }
  return list as readonly number[];
}

function counts(name: SeriesFunction, given: readonly bigint[]): number[] {
  const list = given.map(Number);
  if (valuesNeeded(name, list) === undefined) {
    throw new RangeError(
      `${name}() takes a count of 1 or more${name === 'movavg' ? ' and 0 or more to leave out' : ''}`,
    );
  }
  return list;
}

/** Adds `movavg`, `delta` and `rate` to an environment. */
export function registerSeriesFunctions(environment: Environment, steps: SeriesSteps): void {
  const options = { async: false };
  const average = (list: readonly unknown[], ...given: bigint[]): number =>
    movavg(numbers('movavg', list), ...counts('movavg', given));
  const difference = (list: readonly unknown[], ...given: bigint[]): number =>
    delta(numbers('delta', list), ...counts('delta', given));
  const slope = (list: readonly unknown[], ...given: bigint[]): number => {
    const at = steps.get(list);
    if (at === undefined) throw new TypeError('rate() takes history.<check>');
    return rate({ values: numbers('rate', list), steps: at }, ...counts('rate', given));
  };
  for (const parameters of ['', ', int', ', int, int']) {
    environment.registerFunction(`movavg(list<double>${parameters}): double`, average, options);
  }
  for (const parameters of ['', ', int']) {
    environment.registerFunction(`delta(list<double>${parameters}): double`, difference, options);
    environment.registerFunction(`rate(list<double>${parameters}): double`, slope, options);
  }
}
