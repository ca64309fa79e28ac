import type { DecisionLogKey } from '@tidegate/protocol';
import type { LoggedDecision } from '../decision-log/logged-decision.js';
import { decisionId, type OutboxEntry } from '../semantics/index.js';
import { callOutside } from './call.js';
import type { ActionContext } from './context.js';
import { derivePieces } from './derive.js';
import { publishFired } from './event.js';
import type { Occasion } from './occasion.js';
import { persistPieces } from './persist.js';
import { pinSteps } from './pin.js';
import { steer } from './steer.js';
import { queueTask } from './task.js';

/** What a failed action costs, for the log. */
const COSTS: Readonly<Record<Exclude<OutboxEntry['kind'], 'trigger'>, string>> = {
  event: 'its event is not published',
  task: 'its task is not queued',
  steer: 'the run is not steered',
  call: 'the responder did not confirm the call',
  pin: 'its steps are not pinned',
  persist: 'its partitions may not be on disk',
  derive: 'its derived data may not be complete',
};

/**
 * Does what a committed decision asks for, in order, nested triggers left out. To do it again is harmless: events come
 * once, tasks and steering within the streams' window for duplicates, calls to the outside with the same idempotency
 * key. Events, tasks and steering are waited for as long as it takes; what else fails for good is logged, and the
 * next action follows.
 *
 * @param root name of the outermost trigger
 * @throws the signal's reason
 */
export async function perform(
  context: ActionContext,
  {
    decision,
    sequence,
    root,
    signal,
  }: {
    readonly decision: LoggedDecision;
    readonly sequence: number;
    readonly root: string;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const occasion: Occasion = { decision, sequence, signal };
  for (const entry of decision.outbox) {
    signal.throwIfAborted();
    if (entry.kind === 'trigger') continue;
    try {
      await performEntry(context, entry, occasion);
    } catch (error) {
      signal.throwIfAborted();
      const fields = { err: error, decision: decisionId(decision), action: entry.id };
      context.logger.error(fields, `an action failed: ${COSTS[entry.kind]}`);
    }
  }
  if (decision.outbox.every(({ kind }) => kind !== 'trigger')) noteSettled(context, { decision, sequence, root });
}

/**
 * Notes that all of a decision's actions are done. `perform` does so itself but where nested triggers are among them:
 * those are done by its caller. Where there is nothing but an event nothing is noted: to try that again costs little.
 */
export function noteSettled(
  { settled }: Pick<ActionContext, 'settled'>,
  { decision, sequence, root }: { readonly decision: LoggedDecision; readonly sequence: number; readonly root: string },
): void {
  if (decision.outbox.every(({ kind }) => kind === 'event')) return;
  const { trigger, generation, run } = decision;
  const log: DecisionLogKey = { root, trigger, generation, run };
  settled.note(log, sequence);
}

function performEntry(
  context: ActionContext,
  entry: Exclude<OutboxEntry, { readonly kind: 'trigger' }>,
  occasion: Occasion,
): Promise<void> {
  switch (entry.kind) {
    case 'event':
      return publishFired(context, occasion);
    case 'task':
      return queueTask(context, entry, occasion);
    case 'steer':
      return steer(context, entry, occasion);
    case 'call':
      return callOutside(context, entry, occasion);
    case 'pin':
      return pinSteps(context, entry, occasion);
    case 'persist':
      return persistPieces(context, occasion);
    case 'derive':
      return derivePieces(context, entry, occasion);
    default:
      return entry satisfies never;
  }
}
