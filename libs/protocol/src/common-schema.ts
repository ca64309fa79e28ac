import { formatBox, isGeometryError, makeBox, parseBox } from '@tidegate/geometry';
import { z } from 'zod';
import { BadRequestError } from './errors.js';
import { isUlid, NAME_RULE } from './names.js';

/** Schemas that more than one request uses. */
export const nameSchema = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, `expected a name matching ${NAME_RULE}`);
export const stepSchema = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
export const waitSchema = z.number().int().min(0).max(86_400_000);
export const ulidSchema = z
  .string()
  .refine(isUlid, 'expected a ULID (26 characters, Crockford base 32, upper case)')
  .meta({ pattern: '^[0-7][0-9A-HJKMNP-TV-Z]{25}$' });
export const digestSchema = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'expected "sha256:<64 hex digits>"');

const corner = z.array(z.number().int().min(0).max(Number.MAX_SAFE_INTEGER)).min(1).max(6);

// What a JSON schema can say of the text form; parseBox says the rest.
const boxText = z.string().meta({ pattern: '^[0-9]{1,16}:[0-9]{1,16}(,[0-9]{1,16}:[0-9]{1,16}){0,5}$' });

/** A box in either form; the parsed value is the text form. */
export const boxSchema = z
  .union([boxText, z.strictObject({ lower: corner, upper: corner })], {
    error: 'expected a box as "lo:hi,lo:hi" or {"lower":[…],"upper":[…]}',
  })
  .transform((value, context) => {
    try {
      return formatBox(typeof value === 'string' ? parseBox(value) : makeBox(value.lower, value.upper));
    } catch (error) {
      if (!isGeometryError(error)) throw error;
      context.addIssue({ code: 'custom', message: `expected ${error.expected}` });
      return z.NEVER;
    }
  });

const STEP_RANGE = /^(0|[1-9][0-9]{0,15}):(0|[1-9][0-9]{0,15})$/;

function isStepRange(text: string): boolean {
  const match = STEP_RANGE.exec(text);
  if (match === null) return false;
  const upper = Number(match[2]);
  return Number(match[1]) < upper && upper <= Number.MAX_SAFE_INTEGER;
}

/** Steps: one, a list, or a half-open range `"lo:hi"` of one step at least. */
export const stepsSchema = z.union(
  [
    stepSchema,
    z.array(stepSchema).min(1).max(10_000),
    z
      .string()
      .refine(isStepRange, 'expected a half-open range of steps "lo:hi", 0 <= lo < hi < 2^53')
      .meta({ pattern: STEP_RANGE.source }),
  ],
  { error: 'expected a step, a list of steps, or a half-open range of steps "lo:hi"' },
);
export type StepSelection = z.infer<typeof stepsSchema>;

/** True where `step` is among the selected. */
export function selects(selection: StepSelection, step: number): boolean {
  if (typeof selection === 'number') return step === selection;
  if (typeof selection !== 'string') return selection.includes(step);
  const [lower, upper] = selection.split(':');
  return step >= Number(lower) && step < Number(upper);
}

/** Most unknown keys that a message lists. */
const KEYS_SHOWN = 16;

function issueText(issue: z.core.$ZodIssue): { field: string; text: string } {
  const path = issue.path.map(String).join('.');
  if (issue.code === 'unrecognized_keys') {
    // As JSON, since the message becomes a header and must stay one line.
    const keys = issue.keys.slice(0, KEYS_SHOWN).map((key) => JSON.stringify(key.slice(0, 80)));
    const more = issue.keys.length > KEYS_SHOWN ? ` and ${issue.keys.length - KEYS_SHOWN} more` : '';
    const field = [path, issue.keys[0]?.slice(0, 80) ?? ''].filter((part) => part !== '').join('.');
    return { field: field === '' ? 'body' : field, text: `unknown key ${keys.join(', ')}${more}` };
  }
  return { field: path === '' ? 'body' : path, text: path === '' ? issue.message : `${path}: ${issue.message}` };
}

function shownInput(input: unknown): string {
  const text = JSON.stringify(input, (_, value: unknown) =>
    value instanceof Uint8Array ? `<${value.length} bytes>` : value,
  );
  return text?.slice(0, 120) ?? 'nothing';
}

/**
 * Checks a request's map against its schema.
 *
 * @throws BadRequestError whose `field` names the first offending key
 */
export function parseRequest<S extends z.ZodType>(schema: S, map: unknown): z.output<S> {
  const parsed = schema.safeParse(map, { reportInput: true });
  if (parsed.success) return parsed.data;
  const [first] = parsed.error.issues;
  if (!first) throw new BadRequestError('body', 'invalid request');
  const { field, text } = issueText(first);
  const got = first.code === 'unrecognized_keys' ? '' : `, got ${shownInput(first.input)}`;
  throw new BadRequestError(field, `${text}${got}`);
}
