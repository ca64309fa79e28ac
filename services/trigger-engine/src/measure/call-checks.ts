import { type Bus, DisconnectedError } from '@tidegate/bus';
import { formatBox } from '@tidegate/geometry';
import { type CheckDefinition, encodeBody, isTidegateError, type Piece } from '@tidegate/protocol';
import type { CheckValue } from '../semantics/index.js';
import { measuredBox, type StepAddress, type StepPlan } from './plan-step.js';

/** What a responder outside is asked. JSON. */
export interface CallRequest {
  readonly trigger: string;
  readonly variable: string;
  readonly run: string;
  readonly epoch: number;
  readonly step: number;
  /** Text form. */
  readonly box: string;
  /** Where the box has few of them. */
  readonly pieces?: readonly { readonly id: string; readonly box: string; readonly bytes: number }[];
}

/** Largest reply, in bytes, and deepest. */
const REPLY_BYTES = 65_536;
const REPLY_DEPTH = 32;
/** Most pieces that a request lists. */
const PIECES = 256;
const REASON_LENGTH = 300;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** What came of the `call` checks of a step. */
export interface CallResults {
  readonly values: ReadonlyMap<string, CheckValue>;
  readonly failures: ReadonlyMap<string, string>;
}

/**
 * Asks the responders of `call` checks, all at the same time, once each. Silence, refusals and bad replies are failures
 * of the check.
 *
 * @throws DisconnectedError where the own connection is lost; the signal's reason
 */
export async function runCallChecks(
  bus: Bus,
  {
    at,
    plan,
    checks,
    signal,
  }: {
    readonly at: StepAddress;
    readonly plan: StepPlan;
    readonly checks: Readonly<Record<string, CheckDefinition>>;
    readonly signal: AbortSignal;
  },
): Promise<CallResults> {
  const values = new Map<string, CheckValue>();
  const failures = new Map<string, string>();
  const request = encodeBody(callRequest(at, plan), 'json');
  const ask = async (name: string, { subject, timeoutMs }: NonNullable<CheckDefinition['call']>): Promise<void> => {
    try {
      const { data } = await bus.request(subject, request, { timeoutMs, signal });
      const value = readValue(data);
      if ('failure' in value) failures.set(name, value.failure);
      else values.set(name, value.value);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof DisconnectedError || !isTidegateError(error)) throw error;
      failures.set(name, error.message.slice(0, REASON_LENGTH));
    }
  };
  await Promise.all(Object.entries(checks).map(([name, { call }]) => call && ask(name, call)));
  return { values, failures };
}

function callRequest(at: StepAddress, { epoch, pieces }: StepPlan): CallRequest {
  const { trigger, variable, run, step } = at;
  return {
    trigger,
    variable: variable.record.name,
    run,
    epoch,
    step,
    box: formatBox(measuredBox(at)),
    ...(pieces.length <= PIECES && { pieces: pieces.map(listed) }),
  };
}

function listed({ id, box, bytes }: Piece): { id: string; box: string; bytes: number } {
  return { id, box, bytes };
}

/** The JSON value of a reply. */
export function readValue(data: Uint8Array): { readonly value: CheckValue } | { readonly failure: string } {
  if (data.length > REPLY_BYTES) {
    return { failure: `expected a reply of at most ${REPLY_BYTES} bytes, got ${data.length}` };
  }
  let value: CheckValue;
  try {
    value = JSON.parse(utf8.decode(data)) as CheckValue;
  } catch {
    return { failure: `expected a reply in JSON, got ${data.length} bytes that are none` };
  }
  return isDeeper(value, REPLY_DEPTH) ? { failure: `expected a reply of at most ${REPLY_DEPTH} levels` } : { value };
}

function isDeeper(value: CheckValue, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return depth === 0 || Object.values(value).some((member: CheckValue) => isDeeper(member, depth - 1));
}
