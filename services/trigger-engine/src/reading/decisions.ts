import { monotonicNow, storedMessages } from '@tidegate/bus';
import {
  BadRequestError,
  type DecisionReply,
  type DecisionsReply,
  decisionSubject,
  encodeBody,
  HEADERS,
  STREAMS,
  type TriggerDecisionsRequest,
  UnknownTriggerError,
} from '@tidegate/protocol';
import { decodeDecision } from '../decision-log/logged-decision.js';
import type { ReadingContext } from './context.js';
import { decisionReply } from './decision-reply.js';
import { hasTrigger, rootOf } from './trigger-name.js';

/** What one request reads at most before it answers with what it found and where to go on. */
const SCAN_MESSAGES = 50_000;
const SCAN_MS = 2000;
/** Left in a message for its envelope and headers. */
const REPLY_ROOM = 8192;

/**
 * `tide.v1.trigger.decisions`: a page in the order in which they were committed. A page may be short, or empty, and yet
 * have a cursor.
 *
 * @throws UnknownTriggerError where there is neither such a trigger nor a decision of one; BadRequestError
 */
export async function listDecisions(
  context: ReadingContext,
  request: TriggerDecisionsRequest,
): Promise<DecisionsReply> {
  const { name, from = 0, limit } = request;
  const room = context.bus.maxPayload - REPLY_ROOM;
  const end = monotonicNow() + SCAN_MS;
  const decisions: DecisionReply[] = [];
  const position = cursorOf(request.cursor);
  let bytes = 0;
  let scanned = 0;
  for await (const { data, sequence, header } of storedMessages(context.bus, STREAMS.decisions.name, {
    subject: subjectOf(request),
    from: position,
    signal: context.signal,
  })) {
    const here = { decisions, cursor: String(sequence) };
    if (decisions.length === limit || scanned === SCAN_MESSAGES || monotonicNow() > end) return here;
    scanned++;
    if (Number(header(HEADERS.step)) < from) continue;
    const reply = decisionReply(decodeDecision(data), sequence);
    bytes += encodeBody(reply, 'json').length + 1;
    if (bytes > room && decisions.length > 0) return here;
    decisions.push(reply);
  }
  if (scanned === 0 && position === 1) await needTrigger(context, name);
  return { decisions };
}

function subjectOf({ name, generation, run = '*' }: TriggerDecisionsRequest): string {
  return decisionSubject({ root: rootOf(name), generation: generation ?? '*', run, trigger: name });
}

function cursorOf(cursor: string | undefined): number {
  if (cursor === undefined) return 1;
  const sequence = /^[1-9]\d{0,15}$/.test(cursor) ? Number(cursor) : 0;
  if (sequence > 0 && Number.isSafeInteger(sequence)) return sequence;
  throw new BadRequestError('cursor', `expected the cursor of an earlier reply, got ${JSON.stringify(cursor)}`);
}

/** @throws UnknownTriggerError */
async function needTrigger(context: ReadingContext, name: string): Promise<void> {
  const record = await context.trigger(rootOf(name));
  if (record === undefined || !hasTrigger(record, name)) throw new UnknownTriggerError(name);
}
