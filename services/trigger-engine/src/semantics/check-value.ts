import type { CheckDefinition, Reduction } from '@tidegate/protocol';
import type { Json } from './canonical-json.js';

/** What a check yields: a number, a list of integers (coordinates, counts), or what a kernel or a responder answered. */
export type CheckValue = Json;

/** The CEL type of a check's value; `dyn` where it is known only when it comes. */
export type CheckType = 'double' | 'int' | 'list<int>' | 'dyn';

const REDUCTION_TYPES: Readonly<Record<Reduction, CheckType>> = {
  min: 'double',
  max: 'double',
  argmin: 'list<int>',
  argmax: 'list<int>',
  sum: 'double',
  mean: 'double',
  var: 'double',
  std: 'double',
  count: 'int',
  nan_count: 'int',
  inf_count: 'int',
  fraction: 'double',
  histogram: 'list<int>',
  quantile: 'double',
  entropy: 'double',
  l2_diff: 'double',
  linf_diff: 'double',
};

/** The type of what a check yields: `components` the number of them, `wasm` and `call` whatever comes. */
export function checkType(check: CheckDefinition): CheckType {
  if (check.reduce !== undefined) return REDUCTION_TYPES[check.reduce];
  return check.components === undefined ? 'dyn' : 'int';
}

/** Most entries of a check's list: coordinates, or bins. 1 for a number. */
export function checkLength(check: CheckDefinition, rank: number): number {
  if (checkType(check) !== 'list<int>') return 1;
  return check.reduce === 'histogram' ? (check.bins ?? 1) : rank;
}

/** A number as JSON can hold it: NaN, the infinities and negative zero as text. */
export type WireNumber = number | 'NaN' | 'Infinity' | '-Infinity' | '-0';

/** A number as it stands in a decision. */
export function encodeNumber(value: number): WireNumber {
  if (Number.isFinite(value)) return Object.is(value, -0) ? '-0' : value;
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? 'Infinity' : '-Infinity';
}

/** The number that `encodeNumber` wrote. */
export function decodeNumber(value: WireNumber): number {
  return Number(value);
}

/** A value as it stands in a decision: every number in it as by `encodeNumber`. */
export function encodeValue(value: CheckValue): Json {
  if (typeof value === 'number') return encodeNumber(value);
  if (Array.isArray(value)) return value.map(encodeValue);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, encodeValue(member)]));
}
