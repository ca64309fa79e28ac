import type { RollbackRecord, RunRecord } from './buckets.js';

/** Most rollbacks of a run that are remembered; beyond it the oldest go, whose steps pass for those of epoch 0. */
export const ROLLBACKS_LIMIT = 256;

/** The rollbacks that decide the epochs of a run's steps, the newest last. */
export function standingRollbacks(run: RunRecord | undefined): readonly RollbackRecord[] {
  if (run === undefined) return [];
  // A record without the list was written by a version that knew the newest one alone.
  return run.standing ?? [run];
}

/** True where a rollback took back what was put before it of this variable at this step. */
function concerns({ toStep, variables }: RollbackRecord, variable: string, step: number): boolean {
  return step > toStep && (variables === undefined || variables.includes(variable));
}

/** The epoch that a step belongs to: that of the newest rollback to a step below it which concerns its variable, else 0. */
export function epochOf(run: RunRecord | undefined, variable: string, step: number): number {
  return standingRollbacks(run).findLast((rollback) => concerns(rollback, variable, step))?.epoch ?? 0;
}

/** True where a rollback took back what was begun in `epoch`. */
export function isSuperseded(
  run: RunRecord | undefined,
  put: { readonly variable: string; readonly step: number; readonly epoch: number },
): boolean {
  return put.epoch < epochOf(run, put.variable, put.step);
}

/** What stands after one more rollback: those go that decide the epoch of no step any more. */
export function withRollback(
  standing: readonly RollbackRecord[],
  { epoch, toStep, variables }: RollbackRecord,
): readonly RollbackRecord[] {
  const named = variables && new Set(variables);
  const outdone = (old: RollbackRecord) =>
    old.toStep >= toStep && (named === undefined || old.variables?.every((name) => named.has(name)) === true);
  const kept = standing
    .filter((old) => !outdone(old))
    .map((old) => ({ epoch: old.epoch, toStep: old.toStep, ...(old.variables && { variables: old.variables }) }));
  return [...kept, { epoch, toStep, ...(variables && { variables }) }].slice(-ROLLBACKS_LIMIT);
}
