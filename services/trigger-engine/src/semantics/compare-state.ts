import type { CompareDefinition } from '@tidegate/protocol';
import type { CheckValue } from './check-value.js';
import { extendHistory, type History } from './history.js';

/** `pending`: the condition holds, but not for long enough yet. */
export type Phase = 'inactive' | 'pending' | 'firing';
export type Verdict = 'fired' | 'quiet' | 'unknown';

/** Why an expression has no value: an error in it, or a check that could not be computed. */
export interface Unknown {
  readonly unknown: string;
}
/** The value of a condition. */
export type Truth = boolean | Unknown;

/** True where a truth is known. */
export function isKnown(truth: Truth): truth is boolean {
  return typeof truth === 'boolean';
}

/** What a trigger remembers from step to step: small plain JSON that is committed with every decision. */
export interface CompareState {
  readonly phase: Phase;
  /** Decided steps in a row at which the condition held, up to what `for` asks; 0 unless pending or firing. */
  readonly held: number;
  /** Decided steps in a row, while firing, at which it did not hold any more. */
  readonly released: number;
  /** Decided steps to come at which it may not fire. */
  readonly cooling: number;
  /** The newest decided step, or null before the first. */
  readonly lastStep: number | null;
  /** Steps that were decided late. */
  readonly late: number;
  readonly history: History;
}

/** The state before the first decision. */
export const INITIAL_STATE: CompareState = Object.freeze({
  phase: 'inactive',
  held: 0,
  released: 0,
  cooling: 0,
  lastStep: null,
  late: 0,
  history: Object.freeze({}),
});

/** The part of a definition that the state machine obeys. */
export interface CompareRules
  extends Pick<CompareDefinition, 'for' | 'keepFiringFor' | 'edge' | 'cooldown' | 'onUnknown' | 'history'> {
  /** Whether there is a recovery expression. */
  readonly recovery: boolean;
  /** Checks that the history is kept of. */
  readonly tracked: readonly string[];
  /** Whether a decision depends on the ones before it: those are made in step order. */
  readonly stateful: boolean;
}

/** One step, evaluated. */
export interface CompareInput {
  readonly step: number;
  readonly condition: Truth;
  /** Needed where the rules have a recovery. */
  readonly recovery?: Truth;
  readonly values?: ReadonlyMap<string, CheckValue>;
}

/** What became of a step. */
export interface Advance {
  readonly state: CompareState;
  readonly verdict: Verdict;
  readonly fires: boolean;
  readonly late: boolean;
  readonly reason: string;
}

/** Where the alarm stands after a step, and why. */
interface Move extends Pick<CompareState, 'phase' | 'held' | 'released'> {
  readonly why: string;
  /** Set where an expression that mattered had no value. */
  readonly unknown?: string;
  /** Set where the step may not fire whatever the phase. */
  readonly muted?: true;
}

const NO_VALUES: ReadonlyMap<string, CheckValue> = new Map();

/**
 * Decides one step: the next state, the verdict, and whether the trigger fires. Pure; the same state and input give the
 * same outcome on any machine.
 *
 * The alarm fires once the condition has held at `for` decided steps in a row, and goes on until the recovery holds (or,
 * without one, the condition does not) at more than `keepFiringFor` decided steps in a row. At `edge: level` every step of
 * a firing alarm fires, at `rising` the first; after one that fired, `cooldown` decided steps do not. Steps that nobody
 * put are not there: all counts are of decided steps. A step below the newest decided one is late: it is recorded, does
 * not fire, and changes nothing but the count of late steps. Rules that are not stateful ignore the state.
 *
 * @throws RangeError for the step that was decided last
 */
export function advance(rules: CompareRules, state: CompareState, input: CompareInput): Advance {
  const before = rules.stateful ? state : INITIAL_STATE;
  const { step } = input;
  if (before.lastStep === step) throw new RangeError(`step ${step} is decided already`);
  if (before.lastStep !== null && step < before.lastStep) return lateStep(before, before.lastStep, input);

  const { why, unknown, muted, ...alarm } = move(rules, before, input);
  const isDue = alarm.phase === 'firing' && !muted && (rules.edge === 'level' || before.phase !== 'firing');
  const fires = isDue && before.cooling === 0;
  const cooling = fires ? rules.cooldown : Math.max(0, before.cooling - 1);
  const values = input.values ?? NO_VALUES;
  const { tracked, history: depth } = rules;
  return {
    state: {
      ...alarm,
      cooling,
      lastStep: rules.stateful ? step : null,
      late: before.late,
      history: rules.stateful ? extendHistory(before.history, { step, values, tracked, depth }) : {},
    },
    verdict: fires ? 'fired' : unknown === undefined ? 'quiet' : 'unknown',
    fires,
    late: false,
    reason: reasonOf(rules, before, { why, isDue, fires, phase: alarm.phase, muted: muted === true }),
  };
}

function lateStep(state: CompareState, newest: number, { step, condition }: CompareInput): Advance {
  const found = isKnown(condition) ? `its condition ${condition ? 'held' : 'did not hold'}` : condition.unknown;
  return {
    state: { ...state, late: state.late + 1 },
    verdict: isKnown(condition) ? 'quiet' : 'unknown',
    fires: false,
    late: true,
    reason: `late: step ${step} came after step ${newest} was decided; ${found}`,
  };
}

function move(rules: CompareRules, state: CompareState, input: CompareInput): Move {
  const { condition } = input;
  if (!isKnown(condition)) return withoutValue(rules, state, condition.unknown);
  if (condition) return holding(rules, state);
  if (state.phase !== 'firing') return { ...CLEAR, why: 'the condition does not hold' };
  if (!rules.recovery) return releasing(rules, state, 'the condition does not hold');
  const recovery = input.recovery ?? { unknown: 'recovery was not evaluated' };
  if (!isKnown(recovery)) return withoutValue(rules, state, recovery.unknown);
  if (recovery) return releasing(rules, state, 'recovered');
  return { ...alarmOf(state), released: 0, why: 'the condition does not hold, but neither does recovery' };
}

const CLEAR = { phase: 'inactive', held: 0, released: 0 } as const;

function alarmOf({ phase, held, released }: CompareState): Pick<CompareState, 'phase' | 'held' | 'released'> {
  return { phase, held, released };
}

function holding(rules: CompareRules, state: CompareState): Move {
  const needed = Math.max(1, rules.for);
  const held = Math.min(needed, state.held + 1);
  if (state.phase === 'firing' || held === needed) {
    const why = needed === 1 ? 'the condition holds' : `the condition holds, for ${needed} steps or more`;
    return { phase: 'firing', held: needed, released: 0, why };
  }
  return { phase: 'pending', held, released: 0, why: `the condition holds for ${held} of ${needed} steps` };
}

function releasing(rules: CompareRules, state: CompareState, why: string): Move {
  const released = state.released + 1;
  if (released > rules.keepFiringFor) return { ...CLEAR, why };
  return { ...alarmOf(state), released, why: `${why}, kept firing for ${released} of ${rules.keepFiringFor} steps` };
}

function withoutValue(rules: CompareRules, state: CompareState, unknown: string): Move {
  switch (rules.onUnknown) {
    case 'hold':
      return { ...alarmOf(state), why: `unknown: ${unknown}`, unknown, muted: true };
    case 'clear':
      return { ...CLEAR, why: `unknown, taken as clear: ${unknown}`, unknown };
    case 'fire':
      return { ...holding(rules, state), why: `unknown, taken as holding: ${unknown}`, unknown };
    default:
      return rules.onUnknown satisfies never;
  }
}

interface Outcome {
  readonly why: string;
  readonly isDue: boolean;
  readonly fires: boolean;
  readonly muted: boolean;
  readonly phase: Phase;
}

function reasonOf(rules: CompareRules, before: CompareState, { why, isDue, fires, muted, phase }: Outcome): string {
  if (fires || muted || phase !== 'firing') return why;
  if (isDue) return `${why}, but it cools down for ${before.cooling} more ${before.cooling === 1 ? 'step' : 'steps'}`;
  return rules.edge === 'rising' ? `${why}, but it was firing already` : why;
}
