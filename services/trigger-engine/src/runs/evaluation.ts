import type { Box } from '@tidegate/geometry';
import {
  type MeasureContext,
  type Measured,
  measure,
  newestPut,
  planStep,
  type StepAddress,
  type StepPlan,
} from '../measure/index.js';
import type { RegisteredTrigger } from '../registry/registered-trigger.js';
import type { CompiledTrigger } from '../semantics/index.js';
import type { Due } from './ready-queue.js';

/** What the checks of a trigger came to at a step. */
export interface Evaluated extends Due {
  readonly epoch: number;
  /** When it became complete: milliseconds since 1970. */
  readonly time: number;
  readonly plan: StepPlan;
  readonly measured: Measured;
}

/** Or what it lacks; `gone`: nothing more will come of it. */
export type Evaluation =
  | { readonly covered: true; readonly evaluated: Evaluated }
  | { readonly covered: false; readonly missing: readonly Box[]; readonly gone: boolean };

/** One step of a run, or one partition of it, at a trigger. */
export interface EvaluationOptions {
  readonly trigger: RegisteredTrigger;
  /** Which of the tree. */
  readonly node: CompiledTrigger;
  readonly run: string;
  readonly due: Due;
  readonly epoch: number;
  /** The newest decided step below, where a check compares with it. */
  readonly previousStep: number | undefined;
  readonly signal: AbortSignal;
}

/** True where an expression of a trigger reads the pieces. */
function readsParts({ condition, recovery }: CompiledTrigger): boolean {
  return condition.readsParts || recovery?.readsParts === true;
}

/** Where a step of a trigger is. */
export function addressOf({
  trigger,
  node,
  run,
  due,
}: Pick<EvaluationOptions, 'trigger' | 'node' | 'run' | 'due'>): StepAddress {
  const { variable, box } = trigger;
  const { step, partition } = due;
  return { variable, box, run, step, trigger: node.name, ...(partition && { partition }) };
}

/**
 * Plans a step and computes its checks.
 *
 * @throws UnavailableError, TimeoutError: try again; the signal's reason
 */
export async function evaluate(context: MeasureContext, options: EvaluationOptions): Promise<Evaluation> {
  const { due, epoch, signal } = options;
  const planned = await planStep(context, addressOf(options), signal);
  if (!planned.covered) {
    const { missing, dropped = false } = planned;
    return { covered: false, missing, gone: dropped || due.partition !== undefined };
  }
  const { plan } = planned;
  const measured = await measureStep(context, { ...options, plan });
  return { covered: true, evaluated: { ...due, epoch, time: newestPut(plan.pieces), plan, measured } };
}

/** Computes the checks of a step that is planned already. @throws as `evaluate` */
export function measureStep(
  context: MeasureContext,
  options: EvaluationOptions & { readonly plan: StepPlan },
): Promise<Measured> {
  const { node, plan, previousStep, signal } = options;
  return measure(context, {
    at: addressOf(options),
    plan,
    checks: node.check,
    readsParts: readsParts(node),
    previousStep,
    signal,
  });
}

/** What the checks come to where the data is gone: each fails for that reason. */
export function withoutData(node: CompiledTrigger, reason: string): Measured {
  return {
    values: new Map(),
    failures: new Map(Object.keys(node.check).map((name) => [name, reason])),
    parts: { unknown: reason },
  };
}
