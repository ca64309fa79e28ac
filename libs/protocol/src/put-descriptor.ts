import { type Box, BoxSyntaxError, parseBox } from '@tidegate/geometry';
import { BadRequestError } from './errors.js';
import { HEADERS, type HeaderReader } from './headers.js';
import { isName, isStep, isUlid, NAME_RULE } from './names.js';
import type { RegionRef } from './partition.js';
import { regionListSchema } from './staging-schema.js';

/** What a writer says of a put; the box is absent for the whole domain. */
export interface PutDescriptor {
  readonly variable: string;
  readonly run: string;
  readonly step: number;
  readonly box?: Box;
  readonly id?: string;
  /** Milliseconds to wait for room. */
  readonly wait: number;
  readonly annotation?: string;
  readonly derivedFrom?: readonly RegionRef[];
  readonly activity?: string;
  readonly digest?: string;
}

/** Longest wait that a request may ask for, in milliseconds: one day. */
export const MAX_WAIT_MS = 86_400_000;
export const DEFAULT_RUN = 'default';
const DIGEST = /^sha256:[0-9a-f]{64}$/;
const INTEGER = /^(0|[1-9][0-9]{0,15})$/;
const MAX_ANNOTATION = 64 * 1024;

function shown(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

/** A name in a header. @throws BadRequestError */
export function nameHeader(read: HeaderReader, header: string, fallback?: string): string {
  const text = read(header);
  if (text === '' && fallback !== undefined) return fallback;
  if (!isName(text)) throw new BadRequestError(header, `expected ${header} to match ${NAME_RULE}, got ${shown(text)}`);
  return text;
}

/** A step in a header. @throws BadRequestError */
export function integerHeader(read: HeaderReader, header: string, fallback?: number): number {
  const text = read(header);
  if (text === '' && fallback !== undefined) return fallback;
  const value = INTEGER.test(text) ? Number(text) : Number.NaN;
  if (!isStep(value)) {
    throw new BadRequestError(
      header,
      `expected ${header} to be an integer 0 … 2^53-1 in decimal digits, got ${shown(text)}`,
    );
  }
  return value;
}

/** A wait in milliseconds in a header. @throws BadRequestError */
export function waitHeader(read: HeaderReader): number {
  const wait = integerHeader(read, HEADERS.wait, 0);
  if (wait > MAX_WAIT_MS)
    throw new BadRequestError(HEADERS.wait, `expected a wait of at most ${MAX_WAIT_MS} ms, got ${wait}`);
  return wait;
}

/** A box in a header, or none. @throws BadRequestError */
export function boxHeader(read: HeaderReader): Box | undefined {
  const text = read(HEADERS.box);
  if (text === '') return undefined;
  try {
    return parseBox(text);
  } catch (cause) {
    if (cause instanceof BoxSyntaxError) throw new BadRequestError(HEADERS.box, cause.message, { cause });
    throw cause;
  }
}

function derivedFromHeader(text: string): readonly RegionRef[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new BadRequestError(HEADERS.derivedFrom, `expected a JSON list of regions, got ${shown(text)}`, { cause });
  }
  const parsed = regionListSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue?.path.join('.') ?? '';
    throw new BadRequestError(
      HEADERS.derivedFrom,
      `expected a list of {run?, variable, step, box?}, got ${shown(text)}: ${where} ${issue?.message ?? ''}`,
    );
  }
  return parsed.data as readonly RegionRef[];
}

/** Checks the annotation part of a descriptor: an id, or JSON of one line. @throws BadRequestError */
export function checkAnnotation(text: string, field: string): string {
  if (DIGEST.test(text)) return text;
  if (text.length > MAX_ANNOTATION)
    throw new BadRequestError(
      field,
      `expected an annotation of at most ${MAX_ANNOTATION} characters, got ${text.length}: store it with tide.v1.annotation.put and give its id`,
    );
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new BadRequestError(field, `expected "sha256:<64 hex digits>" or a JSON map, got ${shown(text)}`, { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new BadRequestError(field, `expected "sha256:<64 hex digits>" or a JSON map, got ${shown(text)}`);
  }
  return text;
}

/** Checks a digest's form. @throws BadRequestError */
export function checkDigest(text: string, field: string): string {
  if (!DIGEST.test(text)) throw new BadRequestError(field, `expected "sha256:<64 hex digits>", got ${shown(text)}`);
  return text;
}

/**
 * Reads a put's descriptor from its headers. Unknown `Tide-` headers can't be told from a list of names here and are
 * not looked for; every known one is checked.
 *
 * @throws BadRequestError naming the header
 */
export function parsePutHeaders(read: HeaderReader): PutDescriptor {
  const id = read(HEADERS.id);
  if (id !== '' && !isUlid(id))
    throw new BadRequestError(
      HEADERS.id,
      `expected ${HEADERS.id} to be a ULID (26 characters, Crockford base 32, upper case), got ${shown(id)}`,
    );
  const box = boxHeader(read);
  const annotation = read(HEADERS.annotation);
  const derivedFrom = read(HEADERS.derivedFrom);
  const activity = read(HEADERS.activity);
  if (activity.length > 512)
    throw new BadRequestError(HEADERS.activity, `expected at most 512 characters, got ${activity.length}`);
  const digest = read(HEADERS.digest);
  return {
    variable: nameHeader(read, HEADERS.variable),
    run: nameHeader(read, HEADERS.run, DEFAULT_RUN),
    step: integerHeader(read, HEADERS.step),
    wait: waitHeader(read),
    ...(box && { box }),
    ...(id !== '' && { id }),
    ...(annotation !== '' && { annotation: checkAnnotation(annotation, HEADERS.annotation) }),
    ...(derivedFrom !== '' && { derivedFrom: derivedFromHeader(derivedFrom) }),
    ...(activity !== '' && { activity }),
    ...(digest !== '' && { digest: checkDigest(digest, HEADERS.digest) }),
  };
}
