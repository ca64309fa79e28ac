import { BadRequestError } from '@tidegate/protocol';
import type { CheckValue } from '@tidegate/trigger-engine/semantics';

export type JsonMap = Readonly<Record<string, unknown>>;

/** What the value of a check is in a file: a value, or why it has none. */
export type GivenValue = { readonly value: CheckValue } | { readonly failure: string };

/** Numbers that JSON lacks, as decisions show them. */
const NUMBER_WORDS: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
  '-0': -0,
};

/** A refusal that names its key. */
export function refuse(path: string, expected: string, got: unknown): BadRequestError {
  const shown = got === undefined ? 'nothing' : (JSON.stringify(got) ?? String(got));
  return new BadRequestError(path, `${path}: expected ${expected}, got ${shown.slice(0, 80)}`);
}

/** @throws BadRequestError for what is no map, or one with other keys than `keys` */
export function mapOf(path: string, value: unknown, keys?: readonly string[]): JsonMap {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refuse(path, 'a map of keys', value);
  const unknown = Object.keys(value).find((key) => keys && !keys.includes(key));
  if (unknown !== undefined) {
    const place = path === '' ? unknown : `${path}.${unknown}`;
    throw new BadRequestError(place, `unknown key ${JSON.stringify(unknown)}: expected one of ${keys?.join(', ')}`);
  }
  return value as JsonMap;
}

/** @throws BadRequestError */
export function listOf(path: string, value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw refuse(path, 'a list', value);
  return value;
}

/** @throws BadRequestError */
export function stepOf(path: string, value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw refuse(path, 'a step (a whole number from 0)', value);
}

/**
 * Reads the value of a check: a number, `NaN` and the infinities by name, a list of numbers, anything that a kernel or
 * a responder may answer; `unknown`, nothing, or `{unknown: why}` where it could not be computed.
 */
export function givenValue(given: unknown): GivenValue {
  if (given === 'unknown' || given === null || given === undefined) return { failure: 'unknown' };
  if (typeof given === 'object' && !Array.isArray(given) && 'unknown' in given)
    return { failure: String(given.unknown) };
  return { value: numbersOf(given) };
}

function numbersOf(given: unknown): CheckValue {
  if (Array.isArray(given)) return given.map(numbersOf);
  if (typeof given === 'string' && Object.hasOwn(NUMBER_WORDS, given)) return NUMBER_WORDS[given] ?? Number.NaN;
  return given as CheckValue;
}
