import type { ActionDefinition, ActionKind, TriggerEventBody } from '@tidegate/protocol';
import type { Json } from './canonical-json.js';
import { encodeValue } from './check-value.js';
import { type CompareState, INITIAL_STATE, type Phase, type Verdict } from './compare-state.js';
import type { Measurement, StepOutcome } from './decide-step.js';
import type { CompleteScope } from './definition.js';
import type { CompiledTrigger } from './validate-definition.js';

type JsonMap = { readonly [key: string]: Json };
type DirectAction = Exclude<ActionKind, 'emit' | 'trigger'>;

/** What a decision is one of: there is never a second one with the same key. */
export interface DecisionKey {
  /** Full name, `parent~child` for a nested trigger. */
  readonly trigger: string;
  readonly generation: number;
  readonly run: string;
  readonly epoch: number;
  readonly step: number;
  /** Id of the partition where the trigger is on each of them alone. */
  readonly partition?: string;
}

/** One thing to do because of a decision. Doing it again under the same id must do no harm. */
export type OutboxEntry = { readonly id: string } & (
  | { readonly kind: 'event'; readonly data: JsonMap }
  | { readonly kind: 'trigger'; readonly trigger: string }
  | {
      readonly [K in DirectAction]: { readonly kind: K; readonly action: NonNullable<ActionDefinition[K]> };
    }[DirectAction]
);

/** The committed verdict on one step. Plain JSON: numbers that JSON lacks are texts, as `encodeNumber` writes them. */
export interface Decision extends DecisionKey {
  readonly verdict: Verdict;
  readonly state: Phase;
  readonly late: boolean;
  /** Whether the condition held; null where it has no value. */
  readonly indicator: boolean | null;
  readonly values: JsonMap;
  /** Why a check has no value. */
  readonly failures: Readonly<Record<string, string>>;
  readonly reason: string;
  /** RFC 3339. */
  readonly committedAt: string;
  /** The state that the next decision starts from. */
  readonly after: CompareState;
  /** What is to be done, in this order; empty unless it fired. */
  readonly outbox: readonly OutboxEntry[];
}

/** The id of a decision, made of its key alone. It is the id of its event as well. */
export function decisionId({ trigger, generation, run, epoch, step, partition }: DecisionKey): string {
  const id = `${trigger}/${generation}/${run}/${epoch}/${step}`;
  return partition === undefined ? id : `${id}/${partition}`;
}

/** The id of the action at `index` of a decision: the idempotency key of what it starts. */
export function actionId(key: DecisionKey, index: number): string {
  return `${decisionId(key)}#${index}`;
}

/**
 * What a fired decision asks for: first the event, whose data is that of all `emit`s with later keys winning, then the
 * other actions in the order of the definition.
 */
export function outboxOf(key: DecisionKey, actions: readonly ActionDefinition[]): OutboxEntry[] {
  const data: JsonMap = Object.assign({}, ...actions.map(({ emit }) => emit?.data));
  const entries: OutboxEntry[] = [{ id: decisionId(key), kind: 'event', data }];
  for (const [index, action] of actions.entries()) {
    const id = actionId(key, index);
    if (action.pin) entries.push({ id, kind: 'pin', action: action.pin });
    if (action.persist) entries.push({ id, kind: 'persist', action: action.persist });
    if (action.task) entries.push({ id, kind: 'task', action: action.task });
    if (action.call) entries.push({ id, kind: 'call', action: action.call });
    if (action.derive) entries.push({ id, kind: 'derive', action: action.derive });
    if (action.steer) entries.push({ id, kind: 'steer', action: action.steer });
    if (action.trigger) entries.push({ id, kind: 'trigger', trigger: `${key.trigger}~${action.trigger.name}` });
  }
  return entries;
}

/** The decision that a step came to. `committedAt` is RFC 3339. */
export function decisionOf(
  trigger: Pick<CompiledTrigger, 'name' | 'action'>,
  outcome: StepOutcome,
  facts: {
    readonly measurement: Measurement;
    readonly generation: number;
    readonly committedAt: string;
    readonly partition?: string;
  },
): Decision {
  const { measurement, generation, committedAt, partition } = facts;
  const { run, epoch, step } = measurement;
  const key: DecisionKey = {
    trigger: trigger.name,
    generation,
    run,
    epoch,
    step,
    ...(partition !== undefined && { partition }),
  };
  return {
    ...key,
    verdict: outcome.verdict,
    state: outcome.state.phase,
    late: outcome.late,
    indicator: outcome.indicator,
    values: Object.fromEntries(Array.from(measurement.values, ([name, value]) => [name, encodeValue(value)])),
    failures: Object.fromEntries(measurement.failures),
    reason: outcome.reason,
    committedAt,
    after: outcome.state,
    outbox: outcome.fires ? outboxOf(key, trigger.action) : [],
  };
}

/** The event of a fired decision. */
export function eventOf(
  decision: Decision,
  { variable, box }: Pick<CompleteScope, 'variable' | 'box'>,
): TriggerEventBody {
  const { run, epoch, step, trigger, generation, values, indicator, outbox } = decision;
  const event = outbox.find((entry) => entry.kind === 'event');
  const data = event?.data ?? {};
  return {
    run,
    epoch,
    step,
    trigger,
    generation,
    variable,
    box,
    values,
    indicator,
    data,
    decision: decisionId(decision),
  };
}

/** A rollback of a run: the first step of `epoch` comes after `toStep`. */
export interface Rollback {
  readonly epoch: number;
  readonly toStep: number;
}

/**
 * The state that a trigger goes on from after rollbacks: that of the newest decision which none of them superseded, so
 * that what it remembers is of steps that still stand.
 *
 * @param decisions of one trigger, generation and run, in any order
 */
export function stateAfterRollbacks(decisions: Iterable<Decision>, rollbacks: readonly Rollback[]): CompareState {
  let newest: Decision | undefined;
  for (const decision of decisions) {
    const stands = rollbacks.every(({ epoch, toStep }) => epoch <= decision.epoch || decision.step <= toStep);
    if (stands && !decision.late && decision.step > (newest?.step ?? -1)) newest = decision;
  }
  return newest?.after ?? INITIAL_STATE;
}
