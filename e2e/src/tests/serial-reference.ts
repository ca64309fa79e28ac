import type { TriggerDefinitionInput, VariableRecord } from '@tidegate/protocol';
import { decideStep, INITIAL_STATE, validateDefinition } from '@tidegate/trigger-engine/semantics';

/** What a decision says, but for when it was made. */
export interface ExpectedDecision {
  readonly step: number;
  readonly verdict: string;
  readonly state: string;
  readonly late: boolean;
  readonly indicator: boolean | null;
}

/** The decisions on these steps, one after the other, of a trigger without checks. */
export function serialDecisions(
  definition: TriggerDefinitionInput,
  variable: Pick<VariableRecord, 'name' | 'dtype' | 'shape'>,
  steps: Iterable<number>,
): readonly ExpectedDecision[] {
  const [trigger] = validateDefinition(definition, { variable }).triggers;
  if (trigger === undefined) throw new TypeError('a definition has a trigger');
  let state = INITIAL_STATE;
  return Array.from(steps, (step) => {
    const outcome = decideStep(trigger, state, {
      run: 'default',
      variable: variable.name,
      step,
      epoch: 0,
      time: 0,
      values: new Map(),
      failures: new Map(),
      parts: [],
    });
    state = outcome.state;
    const { verdict, late, indicator } = outcome;
    return { step, verdict, state: outcome.state.phase, late, indicator };
  });
}
