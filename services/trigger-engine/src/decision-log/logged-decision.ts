import type { HeaderMap } from '@tidegate/bus';
import { HEADERS, type RawId } from '@tidegate/protocol';
import type { CompareState, Decision, Json, Verdict } from '../semantics/index.js';

type JsonMap = { readonly [key: string]: Json };

/** One piece of the box with what the checks yield of it alone; numbers as `encodeNumber` writes them. */
export interface LoggedPart {
  readonly box: string;
  readonly bytes: number;
  readonly values: JsonMap;
}

/** A decision as it stands in the log: with what it was made of, so that it can be explained and made again. */
export interface LoggedDecision extends Decision {
  readonly variable: string;
  /** What was measured, text form: the trigger's box, or the part of it that the partition holds. */
  readonly box: string;
  /** When the step became complete: milliseconds since 1970. */
  readonly time: number;
  /** The state that it started from. */
  readonly before: CompareState;
  /** Where an expression reads them and they are not too many. */
  readonly parts?: readonly LoggedPart[];
  /** With `when: partition`: where that is, its whole box, and its bytes. */
  readonly source?: { readonly raw: RawId; readonly box: string; readonly bytes: number };
}

/** What the headers of a decision tell. */
export interface DecisionHead {
  readonly step: number;
  readonly epoch: number;
  readonly verdict: Verdict;
  readonly partition?: string;
}

/** Most pieces that are kept with a decision. */
const PARTS_LIMIT = 512;
/** A value of this many characters or fewer is always kept. */
const SHORT_VALUE = 256;

const toUtf8 = new TextEncoder();
const utf8 = new TextDecoder();

export function decisionHeaders({ step, epoch, verdict, partition }: DecisionHead): HeaderMap {
  return {
    [HEADERS.step]: String(step),
    [HEADERS.epoch]: String(epoch),
    [HEADERS.verdict]: verdict,
    ...(partition !== undefined && { [HEADERS.id]: partition }),
  };
}

/** Reads what `decisionHeaders` wrote. */
export function readDecisionHeaders(header: (name: string) => string): DecisionHead {
  const partition = header(HEADERS.id);
  return {
    step: Number(header(HEADERS.step)),
    epoch: Number(header(HEADERS.epoch)),
    verdict: header(HEADERS.verdict) as Verdict,
    ...(partition !== '' && { partition }),
  };
}

/**
 * A decision in at most `maxBytes`: where it would take more, its parts are left out, and then its longest values, each
 * with a failure that says so. The decision itself stands as it was made.
 */
export function encodeDecision(decision: LoggedDecision, maxBytes: number): Uint8Array {
  const { parts, ...rest } = decision;
  const whole = parts !== undefined && parts.length > PARTS_LIMIT ? rest : decision;
  const bytes = toUtf8.encode(JSON.stringify(whole));
  if (bytes.length <= maxBytes) return bytes;
  const bare = toUtf8.encode(JSON.stringify(rest));
  return bare.length <= maxBytes
    ? bare
    : toUtf8.encode(JSON.stringify(withoutLongValues(rest, bare.length - maxBytes)));
}

/** Leaves out the longest values until `surplus` bytes are saved. */
function withoutLongValues(decision: LoggedDecision, surplus: number): LoggedDecision {
  const values = { ...decision.values };
  const failures = { ...decision.failures };
  let left = surplus;
  const lengths = Object.entries(values).map(([name, value]) => [name, JSON.stringify(value).length] as const);
  for (const [name, length] of lengths.sort((a, b) => b[1] - a[1])) {
    if (left <= 0 || length <= SHORT_VALUE) break;
    delete values[name];
    failures[name] = `a value of ${length} characters, too long for the log`;
    left -= length - failures[name].length;
  }
  return { ...decision, values, failures };
}

/** A decision as it was logged. @throws SyntaxError for what is no JSON */
export function decodeDecision(data: Uint8Array): LoggedDecision {
  return JSON.parse(utf8.decode(data)) as LoggedDecision;
}
