import { itemSize } from '@tidegate/array';
import { parseBox, volume } from '@tidegate/geometry';
import { BadRequestError } from '@tidegate/protocol';
import {
  appliesTo,
  type CheckValue,
  type CompareState,
  type CompiledTrigger,
  type Decision,
  decideStep,
  decisionOf,
  INITIAL_STATE,
  type Measurement,
  type Part,
  type Rollback,
  stateAfterRollbacks,
  type ValidDefinition,
  validateDefinition,
} from '@tidegate/trigger-engine/semantics';
import { located } from '../definition-file.js';
import type { GivenValue } from './case-value.js';
import type { CaseStep, CheckCase, Expectation } from './check-case.js';

/** What a step came to, and in what that is not as expected. */
export interface StepResult {
  readonly step: number;
  readonly epoch: number;
  readonly values: Decision['values'];
  /** Absent where the trigger does not decide the step. */
  readonly decision?: Pick<Decision, 'verdict' | 'state' | 'late' | 'indicator' | 'reason'>;
  readonly expect?: Expectation;
  /** `verdict: expected fired, got quiet`. */
  readonly differences: readonly string[];
}

export interface CaseResult {
  readonly title: string;
  readonly results: readonly StepResult[];
}

/**
 * Lets a definition decide a series of steps as the trigger-engine does, in the order of the series.
 *
 * @throws DefinitionError for a bad definition or a bad series
 */
export function runCase(checked: CheckCase): CaseResult {
  const valid = validated(checked);
  const trigger = theTrigger(checked, valid);
  const results: StepResult[] = [];
  const decisions: Decision[] = [];
  const rollbacks: Rollback[] = [];
  let state = INITIAL_STATE;
  for (const entry of checked.series) {
    if ('toStep' in entry) {
      rollbacks.push({ epoch: rollbacks.length + 1, toStep: entry.toStep });
      state = stateAfterRollbacks(decisions, rollbacks);
      continue;
    }
    const epoch = rollbacks.findLast(({ toStep }) => toStep < entry.step)?.epoch ?? 0;
    const measurement = measurementOf(checked, trigger, { entry, epoch });
    const decision = appliesTo(trigger.scope, checked.run, entry.step)
      ? decided(checked, trigger, { entry, measurement, state })
      : undefined;
    if (decision) {
      decisions.push(decision);
      state = decision.after;
    }
    results.push(resultOf(entry, epoch, decision));
  }
  return { title: checked.title, results };
}

function validated({ definition, definitionSource, definitionPath, variable }: CheckCase): ValidDefinition {
  const { on } = (definition ?? {}) as { readonly on?: { readonly variable?: unknown } };
  try {
    return validateDefinition(definition, { variable: { ...variable, name: String(on?.variable ?? '') } });
  } catch (error) {
    if (!(error instanceof BadRequestError)) throw error;
    const inFile = new BadRequestError(`${definitionPath}${error.field}`, error.message, { cause: error });
    throw located(definitionSource, inFile);
  }
}

function theTrigger(checked: CheckCase, { triggers }: ValidDefinition): CompiledTrigger {
  const { of = triggers[0]?.name } = checked;
  const trigger = triggers.find(({ name }) => name === of);
  if (trigger) return trigger;
  const names = triggers.map(({ name }) => name).join(', ');
  throw refused(checked, 'of', `of: expected one of ${names}, got ${JSON.stringify(of)}`);
}

function refused({ source }: CheckCase, path: string, message: string): unknown {
  return located(source, new BadRequestError(path, message));
}

function measurementOf(
  checked: CheckCase,
  trigger: CompiledTrigger,
  { entry, epoch }: { readonly entry: CaseStep; readonly epoch: number },
): Measurement {
  for (const name of entry.values.keys()) {
    if (Object.hasOwn(trigger.check, name)) continue;
    const checks = Object.keys(trigger.check).join(', ') || 'none';
    throw refused(checked, valuePath(entry, name), `${name}: expected one of the checks ${checks}`);
  }
  const { box, variable } = trigger.scope;
  const values = known(entry.values);
  const whole: Part = { box, bytes: volume(parseBox(box)) * itemSize(checked.variable.dtype), values };
  const failures = Array.from(entry.values, ([name, given]) => [name, given] as const).flatMap(([name, given]) =>
    'failure' in given ? [[name, given.failure] as const] : [],
  );
  return {
    run: checked.run,
    variable,
    step: entry.step,
    epoch,
    time: entry.time,
    values,
    failures: new Map(failures),
    parts: entry.parts?.map((part) => ({ ...part, values: known(part.values) })) ?? [whole],
  };
}

/** Of the long form `series.3.values.mx`, of the short one `values.mx`. */
function valuePath({ path }: CaseStep, name: string): string {
  return path.startsWith('series') ? `${path}.values.${name}` : `values.${name}`;
}

function known(values: ReadonlyMap<string, GivenValue>): ReadonlyMap<string, CheckValue> {
  return new Map(
    Array.from(values, ([name, given]) => [name, given] as const).flatMap(([name, given]) =>
      'value' in given ? [[name, given.value] as const] : [],
    ),
  );
}

function decided(
  checked: CheckCase,
  trigger: CompiledTrigger,
  {
    entry,
    measurement,
    state,
  }: {
    readonly entry: CaseStep;
    readonly measurement: Measurement;
    readonly state: CompareState;
  },
): Decision {
  try {
    const outcome = decideStep(trigger, state, measurement);
    const committedAt = new Date(entry.time).toISOString();
    return decisionOf(trigger, outcome, { measurement, generation: 1, committedAt });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw refused(checked, entry.path, `${entry.path}: ${error.message}`);
  }
}

function resultOf({ step, expect }: CaseStep, epoch: number, decision: Decision | undefined): StepResult {
  const common = { step, epoch, values: decision?.values ?? {}, ...(expect && { expect }) };
  if (!decision) {
    const isExpected = expect === undefined || expect.skipped === true;
    return { ...common, differences: isExpected ? [] : ['the trigger does not decide this step'] };
  }
  const { verdict, state, late, indicator, reason } = decision;
  const got = { verdict, state, late, indicator };
  const differences = Object.entries(got).flatMap(([key, value]) => {
    const wanted = expect?.[key as keyof typeof got];
    return wanted === undefined || wanted === value ? [] : [`${key}: expected ${wanted}, got ${value}`];
  });
  if (expect?.skipped) differences.push('expected the trigger not to decide this step');
  return { ...common, decision: { ...got, reason }, differences };
}
