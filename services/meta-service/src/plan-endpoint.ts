import { monotonicNow } from '@tidegate/bus';
import { encodeBody, type PlanReply, type ShardReply } from '@tidegate/protocol';
import type { EncodedPlan } from './plan-cache.js';
import type { Region } from './region.js';
import { checkBox, declaredVariable, type ShardContext, settledStanding, WAIT_LIMIT_MS } from './shard-context.js';
import type { readPlan } from './shard-request.js';
import { PIECES_LIMIT, planStep } from './step-plan.js';
import type { VariableIndex } from './variable-index.js';
import type { WakeCause } from './wait-room.js';

type Asked = ReturnType<typeof readPlan>;

/** Bytes of a piece as JSON, more than most have. */
const PIECE_BYTES = 256;

/**
 * Answers `plan`: at once, or when the region is covered, or with what is missing when the wait ends. Where a waiting
 * request's shards are not all owned here it is sent back whole, so that the caller asks the owners that there are.
 *
 * @returns the encoded PlanReply
 * @throws UnknownVariableError, BadRequestError, OutOfDomainError, BusyError
 */
export async function answerPlan(context: ShardContext, shards: readonly number[], asked: Asked): Promise<Uint8Array> {
  const until = monotonicNow() + Math.min(asked.waitMs, WAIT_LIMIT_MS);
  let woken = false;
  for (;;) {
    const { ready, notOwned } = await settledStanding(context.owner, shards);
    if (ready.length === 0) return sendBack(shards);
    const variable = await declaredVariable(context, asked.variable);
    checkBox(variable.record, asked.box);
    const region = variable.region(asked.box, ready);
    const absent = context.owner.absent(ready);
    const remaining = until - monotonicNow();
    if (asked.waitMs === 0 || remaining <= 0 || absent.length > 0) {
      const rest = { ...(notOwned.length > 0 && { notOwned }), ...(absent.length > 0 && { absent }) };
      return planNow(context, variable, region, asked, rest).reply;
    }
    if (woken || notOwned.length > 0 || isKept(context, variable, region, asked)) {
      // Woken, it is covered most likely; but a removal may have come in between.
      const plan = planNow(context, variable, region, asked, notOwned.length > 0 ? { notOwned } : {});
      if (plan.final) return plan.reply;
      if (notOwned.length > 0) return sendBack(shards);
    }
    const cause = await waitForStep(context, variable, region, asked, { shards, remaining });
    if (cause === 'lost') return sendBack(shards);
    woken = cause === 'changed';
  }
}

/** True where planning costs nothing, so that nothing has to be counted before it. */
function isKept(context: ShardContext, variable: VariableIndex, region: Region, { run, step: number }: Asked): boolean {
  const step = variable.run(run)?.step(number);
  return step !== undefined && context.plans.peek(step, region, context.rollback(run)?.epoch ?? 0) !== undefined;
}

function sendBack(shards: readonly number[]): Uint8Array {
  return encodeBody({ notOwned: shards } satisfies ShardReply, 'json');
}

async function waitForStep(
  context: ShardContext,
  variable: VariableIndex,
  region: Region,
  asked: Asked,
  wait: { readonly shards: readonly number[]; readonly remaining: number },
): Promise<WakeCause> {
  const run = variable.openRun(asked.run);
  const step = run.openStep(asked.step);
  const coverage = run.coverage(region, false);
  try {
    if (run.isDropped(asked.step) || coverage.covers(step)) return 'changed';
    return await coverage.waitForStep(step, context.room.enter(wait.shards, wait.remaining));
  } finally {
    run.closeCoverage(coverage);
    run.closeStep(step);
    variable.closeRun(run);
  }
}

function planNow(
  context: ShardContext,
  variable: VariableIndex,
  region: Region,
  { run: runName, step: number }: Asked,
  rest: Pick<PlanReply, 'notOwned' | 'absent'>,
): EncodedPlan {
  const run = variable.run(runName);
  const step = run?.step(number);
  const epoch = context.rollback(runName)?.epoch ?? 0;
  const piecesLimit = Math.min(PIECES_LIMIT, Math.max(1, Math.floor(context.maxPayload / PIECE_BYTES)));
  const opaque = variable.record.dtype === 'bytes';
  const plan = (more: Partial<PlanReply>): EncodedPlan => {
    const reply = { ...planStep(step, region, { epoch, piecesLimit, opaque }), ...more };
    return { final: reply.covered || reply.dropped === true, reply: encodeBody(reply, 'json') };
  };
  if (run?.isDropped(number)) return plan({ ...rest, dropped: true });
  const shared = step !== undefined && rest.notOwned === undefined && rest.absent === undefined;
  return shared ? context.plans.get(step, region, epoch, () => plan({})) : plan(rest);
}
