import { BoxSyntaxError, formatBox, makeBox, parseBox } from '@tidegate/geometry';
import { z } from 'zod';
import { BadRequestError } from './errors.js';
import { isUlid, NAME_RULE } from './names.js';

/** Schemas that more than one request uses. */
export const nameSchema = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, `expected a name matching ${NAME_RULE}`);
export const stepSchema = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
export const waitSchema = z.number().int().min(0).max(86_400_000);
export const ulidSchema = z.string().refine(isUlid, 'expected a ULID (26 characters, Crockford base 32, upper case)');
export const digestSchema = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'expected "sha256:<64 hex digits>"');

const corner = z.array(z.number().int().min(0).max(Number.MAX_SAFE_INTEGER)).min(1).max(6);

/** A box in either form; the parsed value is the text form. */
export const boxSchema = z
  .union([z.string(), z.strictObject({ lower: corner, upper: corner })])
  .transform((value, context) => {
    try {
      return formatBox(typeof value === 'string' ? parseBox(value) : makeBox(value.lower, value.upper));
    } catch (error) {
      if (!(error instanceof BoxSyntaxError || error instanceof RangeError)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
      return z.NEVER;
    }
  });

/** Steps: one, a list, or a half-open range `"lo:hi"`. */
export const stepsSchema = z.union([
  stepSchema,
  z.array(stepSchema).min(1).max(10_000),
  z.string().regex(/^(0|[1-9][0-9]{0,15}):(0|[1-9][0-9]{0,15})$/, 'expected a half-open range of steps "lo:hi"'),
]);
export type StepSelection = z.infer<typeof stepsSchema>;

/** True where `step` is among the selected. */
export function selects(selection: StepSelection, step: number): boolean {
  if (typeof selection === 'number') return step === selection;
  if (typeof selection !== 'string') return selection.includes(step);
  const [lower, upper] = selection.split(':');
  return step >= Number(lower) && step < Number(upper);
}

function issueText(issue: z.core.$ZodIssue): { field: string; text: string } {
  const path = issue.path.map(String).join('.');
  if (issue.code === 'unrecognized_keys') {
    const keys = issue.keys.map((key) => `"${key}"`).join(', ');
    return { field: [path, issue.keys[0] ?? ''].filter((part) => part !== '').join('.'), text: `unknown key ${keys}` };
  }
  return { field: path === '' ? 'body' : path, text: path === '' ? issue.message : `${path}: ${issue.message}` };
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
  const got =
    first.code === 'unrecognized_keys' ? '' : `, got ${JSON.stringify(first.input)?.slice(0, 120) ?? 'nothing'}`;
  throw new BadRequestError(field, `${text}${got}`);
}
