import { retryDelay, sleep } from '@tidegate/bus';
import { boxBytes } from '@tidegate/client/region';
import { parseBox } from '@tidegate/geometry';
import { CheckRun } from '@tidegate/kernels';
import {
  type CheckDefinition,
  type CheckPiece,
  type CheckResult,
  isTidegateError,
  type Piece,
  type RawId,
} from '@tidegate/protocol';
import type { CheckValue, Part, Unknown } from '../semantics/index.js';
import { requestCheck } from './check-request.js';
import type { MeasureContext } from './context.js';
import { Patience } from './patience.js';
import { groupPieces, type PieceGroup } from './piece-groups.js';
import { measuredBox, planStep, type StepAddress, type StepPlan } from './plan-step.js';
import { addressOf, withPrevious } from './previous-pieces.js';

/** What is to be computed near the data. */
export interface KernelTask {
  readonly at: StepAddress;
  readonly plan: StepPlan;
  readonly checks: Readonly<Record<string, CheckDefinition>>;
  /** Step that `against: previous` means. */
  readonly previousStep: number | undefined;
  readonly signal: AbortSignal;
}

export interface KernelResult {
  readonly values: ReadonlyMap<string, CheckValue>;
  readonly failures: ReadonlyMap<string, string>;
  readonly parts: readonly Part[] | Unknown;
}

/** Fresh plans that are made because data moved under a check. */
const REPLANS = 5;
/** How long raw-services that do not answer are waited for, and how long before a fresh plan is made. */
const SILENCE_MS = 15_000;
const REPLAN_AFTER_MS = 2000;
/** Requests of one measurement that are under way at a time. */
const REQUESTS = 32;
/** What a raw-service is trusted to check at least, disk included. */
const BYTES_PER_MS = 100_000;
const LONGEST_MS = 600_000;

/** Why a round came to nothing. */
type Obstacle = { readonly gone: true } | { readonly silent: RawId; readonly error: unknown };

/**
 * Runs checks at the raw-services that hold the pieces, round by round, and merges what they answer in box order. Data
 * that has moved is looked for in a fresh plan.
 *
 * @throws UnavailableError or TimeoutError where no owner of a shard answers; the signal's reason. What concerns the data
 *   is no error but a failure of the checks.
 */
export async function runKernelChecks(context: MeasureContext, task: KernelTask): Promise<KernelResult> {
  const { at, signal } = task;
  const patience = new Patience(SILENCE_MS);
  let { plan } = task;
  for (let moves = 0; ; ) {
    const outcome = await tryPlan(context, { task, plan, patience });
    if ('values' in outcome) return outcome;
    if ('silent' in outcome && !patience.outlasts(outcome.error)) {
      const { silent, error } = outcome;
      context.logger.warn({ err: error, raw: silent, trigger: at.trigger, step: at.step }, 'a check got no answer');
      return failed(task, `raw-service ${silent}: ${error instanceof Error ? error.message : 'no answer'}`);
    }
    if ('gone' in outcome && ++moves > REPLANS)
      return failed(task, `the data moved ${moves} times while it was checked`);
    const planned = await planStep(context, at, signal);
    if (!planned.covered) return failed(task, `no data of step ${at.step} any more`);
    plan = planned.plan;
  }
}

function failed({ checks }: KernelTask, reason: string): KernelResult {
  return {
    values: new Map(),
    failures: new Map(Object.keys(checks).map((name) => [name, reason])),
    parts: { unknown: reason },
  };
}

interface Attempt {
  readonly task: KernelTask;
  readonly plan: StepPlan;
  readonly patience: Patience;
}

async function tryPlan(context: MeasureContext, { task, plan, patience }: Attempt): Promise<KernelResult | Obstacle> {
  const { at } = task;
  const { dtype, shape } = at.variable.record;
  const { previous, failures } = await planPrevious(context, task);
  const checks = Object.fromEntries(Object.entries(task.checks).filter(([name]) => !failures.has(name)));
  const run = new CheckRun({ checks, dtype, shape, box: measuredBox(at) });
  for (let round = run.next(); round !== undefined; round = run.next()) {
    const pieces = round.needsPrevious ? withPrevious(plan.pieces, previous) : plan.pieces.map(addressOf);
    const results = await runRound(context, { task, round, pieces, patience });
    if (!Array.isArray(results)) return results;
    run.accept(results);
  }
  const { values, ...result } = run.result();
  const byBox = new Map(result.parts.map((part) => [part.box, part.values]));
  // A piece that was not computed is a piece all the same.
  const parts = plan.pieces.map(({ box }) => ({
    box,
    bytes: boxBytes(at.variable, parseBox(box)),
    values: byBox.get(box) ?? new Map<string, CheckValue>(),
  }));
  return { values, failures: new Map([...failures, ...result.failures]), parts };
}

/** The pieces of the step that is compared with; where it has none, why the checks that need it fail. */
async function planPrevious(
  context: MeasureContext,
  { at, checks, previousStep, signal }: KernelTask,
): Promise<{ readonly previous: readonly Piece[]; readonly failures: ReadonlyMap<string, string> }> {
  const comparing = Object.keys(checks).filter((name) => checks[name]?.against === 'previous');
  if (comparing.length === 0) return { previous: [], failures: new Map() };
  const fail = (reason: string) => ({
    previous: [],
    failures: new Map(comparing.map((name) => [name, reason] as const)),
  });
  if (previousStep === undefined) return fail('no step before this one was decided');
  const { partition, ...whole } = at;
  const planned = await planStep(context, { ...whole, box: measuredBox(at), step: previousStep }, signal);
  if (planned.covered) return { previous: planned.plan.pieces, failures: new Map() };
  return fail(`no data of step ${previousStep}`);
}

interface Round {
  readonly task: KernelTask;
  readonly patience: Patience;
  readonly round: unknown;
  readonly pieces: readonly CheckPiece[];
}

type Accepted = Parameters<CheckRun['accept']>[0][number];

async function runRound(context: MeasureContext, round: Round): Promise<Accepted[] | Obstacle> {
  const groups = groupPieces(round.pieces);
  const accepted: Accepted[] = [];
  const ended = new AbortController();
  const signal = AbortSignal.any([round.task.signal, ended.signal]);
  let obstacle: Obstacle | undefined;
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let group = groups[next++]; group !== undefined && obstacle === undefined; group = groups[next++]) {
      const results = await askGroup(context, round, group, signal);
      if (!Array.isArray(results)) {
        obstacle ??= results as Obstacle;
        return;
      }
      round.patience.renew();
      for (const [index, result] of results.entries()) {
        const box = parseBox(group.pieces[index]?.box ?? '');
        if ('partial' in result) accepted.push({ box, partial: result.partial });
        else if ('failure' in result) accepted.push({ box, partial: { failure: result.failure } });
        else obstacle ??= { gone: true };
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(REQUESTS, groups.length) }, lane));
  } finally {
    ended.abort();
  }
  return obstacle ?? accepted;
}

/** The answers of one raw-service; for what it refuses for good, that refusal as the failure of every piece. */
async function askGroup(
  { bus }: MeasureContext,
  { task, round }: Round,
  { raw, pieces }: PieceGroup<CheckPiece>,
  signal: AbortSignal,
): Promise<readonly CheckResult[] | Obstacle> {
  const timeoutMs = allowance(task, pieces);
  const patience = new Patience(REPLAN_AFTER_MS);
  const request = { variable: task.at.variable.record.name, round, pieces };
  for (let failures = 1; ; failures++) {
    try {
      return await requestCheck(bus, raw, request, { timeoutMs, signal });
    } catch (error) {
      signal.throwIfAborted();
      if (!isTidegateError(error)) throw error;
      if (!error.retryable) return pieces.map(() => ({ failure: error.message }));
      if (!patience.outlasts(error)) return { silent: raw, error };
      await sleep(retryDelay(error, failures, Math.random), signal);
    }
  }
}

/** Milliseconds that a request may take: user kernels up to their limits, and bytes at the speed of a slow disk. */
function allowance({ at, checks }: KernelTask, pieces: readonly CheckPiece[]): number {
  const kernelMs = Object.values(checks).reduce((sum, { wasm, limits }) => sum + (wasm ? (limits?.ms ?? 0) : 0), 0);
  const bytes = pieces.reduce((sum, { box }) => sum + boxBytes(at.variable, parseBox(box)), 0);
  return Math.min(LONGEST_MS, SILENCE_MS + kernelMs * pieces.length + bytes / BYTES_PER_MS);
}
