import { parseBox } from '@tidegate/geometry';
import { fullNameSchema, isName, isStep, NAME_RULE, type StepSelection, stepsSchema } from '@tidegate/protocol';
import { InvalidArgumentError } from 'commander';
import { parseBytes } from './format/parse-bytes.js';
import { parseNatsAddress } from './nats-address.js';

// Each of these reads one argument of the command line, or says what it expected and got.

function wrong(expected: string, got: string): InvalidArgumentError {
  return new InvalidArgumentError(`expected ${expected}, got ${JSON.stringify(got)}`);
}

const INTEGER = /^(0|[1-9][0-9]{0,15})$/;

/** A whole number from `least` to `most`. */
export function integer(least: number, most: number = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = INTEGER.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    const limits = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
    throw wrong(`a whole number ${limits}`, text);
  };
}

/** A step: 0 … 2^53-1. */
export function step(text: string): number {
  const value = INTEGER.test(text) ? Number(text) : Number.NaN;
  if (!isStep(value)) throw wrong('a step (a whole number from 0)', text);
  return value;
}

/** A step, `latest` or `next:<n>`. */
export function wantedStep(text: string): number | 'latest' | `next:${number}` {
  if (text === 'latest') return text;
  const [, after] = /^next:(.*)$/.exec(text) ?? [];
  if (after !== undefined && INTEGER.test(after)) return `next:${step(after)}`;
  if (!INTEGER.test(text)) throw wrong('a step, "latest" or "next:N"', text);
  return step(text);
}

/** Steps: `3`, `3,5,8`, or a half-open range `10:20`. */
export function stepSelection(text: string): StepSelection {
  const selection = text.includes(':') ? text : text.split(',').map(step);
  const parsed = stepsSchema.safeParse(Array.isArray(selection) && selection.length === 1 ? selection[0] : selection);
  if (!parsed.success) throw wrong('steps such as 3, 3,5,8 or 10:20 (half open)', text);
  return parsed.data;
}

/** A box in text form. */
export function box(text: string): string {
  try {
    parseBox(text);
    return text;
  } catch {
    throw wrong('a box such as 0:64,128:256 (half open, first dimension slowest)', text);
  }
}

/** Extents or counts, comma-separated: `512,512`. */
export function integers(text: string): readonly number[] {
  const parts = text.split(',');
  if (!parts.every((part) => INTEGER.test(part) && Number(part) > 0))
    throw wrong('whole numbers such as 512,512', text);
  return parts.map(Number);
}

/** A name of a variable, run or service. */
export function name(text: string): string {
  if (!isName(text)) throw wrong(`a name matching ${NAME_RULE}`, text);
  return text;
}

/** The name of a trigger, or `parent~child` of a nested one. */
export function fullName(text: string): string {
  if (!fullNameSchema.safeParse(text).success) throw wrong('the name of a trigger, or parent~child', text);
  return text;
}

/** Names, comma-separated. */
export function names(text: string): readonly string[] {
  return text.split(',').map(name);
}

/** Bytes: `512MiB`, `4GB`, a plain number. */
export function bytes(text: string): number {
  const value = parseBytes(text);
  if (value === undefined || value === 0) throw wrong('a size such as 512MiB, 4GB or 1073741824', text);
  return value;
}

/** URLs of a NATS server or cluster. */
export function natsUrl(text: string): string {
  try {
    parseNatsAddress(text);
    return text;
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}
