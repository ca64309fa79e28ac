import { type Advance, advance, type CompareState, INITIAL_STATE, isKnown } from './compare-state.js';
import type { ExplainedPart } from './expression.js';
import type { ExpressionInput } from './expression-input.js';
import { type HistoryStep, seriesOf } from './history.js';
import type { CompiledTrigger } from './validate-definition.js';

/** What the checks came to at a step: the input of its expressions but for the series, which come from the state. */
export type Measurement = Omit<ExpressionInput, 'series'>;

/** What became of a step. */
export interface StepOutcome extends Advance {
  /** Whether the condition held; null where it has no value. */
  readonly indicator: boolean | null;
}

/**
 * Decides one step of a trigger: evaluates its condition, and the recovery where it matters, and advances the state. Pure.
 *
 * @throws RangeError for the step that was decided last
 */
export function decideStep(trigger: CompiledTrigger, state: CompareState, measurement: Measurement): StepOutcome {
  const { rules, condition, recovery } = trigger;
  const input = expressionInput(trigger, state, measurement);
  const { step, values } = measurement;
  const truth = condition.evaluate(input);
  const needsRecovery = recovery !== undefined && truth === false && state.phase === 'firing';
  const outcome = advance(rules, state, {
    step,
    condition: truth,
    values,
    ...(needsRecovery && { recovery: recovery.evaluate(input) }),
  });
  return { ...outcome, indicator: isKnown(truth) ? truth : null };
}

/** The parts of a trigger's condition and recovery with what each of them came to at a step. */
export function explainStep(
  trigger: CompiledTrigger,
  state: CompareState,
  measurement: Measurement,
): { readonly condition: readonly ExplainedPart[]; readonly recovery: readonly ExplainedPart[] } {
  const input = expressionInput(trigger, state, measurement);
  return { condition: trigger.condition.explain(input), recovery: trigger.recovery?.explain(input) ?? [] };
}

function expressionInput({ rules }: CompiledTrigger, state: CompareState, measurement: Measurement): ExpressionInput {
  const { step, values } = measurement;
  const at: HistoryStep = { step, values, tracked: rules.tracked, depth: rules.history };
  return { ...measurement, series: seriesOf(rules.stateful ? state.history : INITIAL_STATE.history, at) };
}
