import type { CompareRules, Truth } from '../compare-state.js';

/** A step of a series, in the order in which it is decided. */
export interface ReferenceStep {
  readonly step: number;
  readonly condition: Truth;
  readonly recovery: Truth;
}

export interface ReferenceOutcome {
  readonly phase: 'inactive' | 'pending' | 'firing';
  readonly verdict: 'fired' | 'quiet' | 'unknown';
  readonly late: boolean;
}

/** What a step tells the alarm: it holds, is in between, is over, says nothing, or wipes everything. */
type Signal = 'on' | 'between' | 'off' | 'nothing' | 'wipe';

/** The steps that are not late, by looking at all before each of them. */
function inTime(steps: readonly ReferenceStep[]): boolean[] {
  return steps.map(({ step }, at) => steps.slice(0, at).every((before) => before.step < step));
}

function unknownSignal(onUnknown: CompareRules['onUnknown']): Signal {
  return ({ hold: 'nothing', fire: 'on', clear: 'wipe' } as const)[onUnknown];
}

/** What a step tells an alarm that is firing, or one that is not. */
function signal(rules: CompareRules, { condition, recovery }: ReferenceStep, isFiring: boolean): Signal {
  if (typeof condition === 'object') return unknownSignal(rules.onUnknown);
  if (condition) return 'on';
  if (!isFiring || !rules.recovery) return 'off';
  if (typeof recovery === 'object') return unknownSignal(rules.onUnknown);
  return recovery ? 'off' : 'between';
}

/** Length of the run of `wanted` at the end of `signals`, over steps that say nothing. */
function trailing(signals: readonly Signal[], wanted: Signal): number {
  const said = signals.filter((each) => each !== 'nothing');
  const other = said.findLastIndex((each) => each !== wanted);
  return said.length - 1 - other;
}

/**
 * The alarm of a whole series at once, the slow way: find where an episode of firing begins, then where it ends, and go on
 * from there; nothing is carried from step to step.
 */
export function referenceSeries(rules: CompareRules, steps: readonly ReferenceStep[]): ReferenceOutcome[] {
  const timely = inTime(steps);
  const kept = steps.filter((_, at) => timely[at]);
  const phases: ReferenceOutcome['phase'][] = [];
  let from = 0;
  while (from < kept.length) {
    const calm = kept.slice(from).map((step) => signal(rules, step, false));
    const begin = calm.findIndex(
      (_, at) => trailing(calm.slice(0, at + 1), 'on') >= Math.max(1, rules.for) && calm[at] === 'on',
    );
    const calmLength = begin < 0 ? calm.length : begin;
    for (let at = 0; at < calmLength; at++) {
      phases.push(trailing(calm.slice(0, at + 1), 'on') > 0 ? 'pending' : 'inactive');
    }
    if (begin < 0) break;
    const alarm = kept.slice(from + begin + 1).map((step) => signal(rules, step, true));
    const end = alarm.findIndex(
      (each, at) =>
        each === 'wipe' || (each === 'off' && trailing(alarm.slice(0, at + 1), 'off') > rules.keepFiringFor),
    );
    const length = 1 + (end < 0 ? alarm.length : end);
    for (let at = 0; at < length; at++) phases.push('firing');
    from += begin + length;
    if (end >= 0) {
      phases.push('inactive');
      from++;
    }
  }

  const fired: number[] = [];
  const verdicts = kept.map((step, at): ReferenceOutcome['verdict'] => {
    const wasFiring = phases[at - 1] === 'firing';
    const said = signal(rules, step, wasFiring);
    const isUnknown =
      typeof step.condition === 'object' ||
      (said !== signal({ ...rules, recovery: false }, step, wasFiring) && said !== 'between');
    const due = phases[at] === 'firing' && said !== 'nothing' && (rules.edge === 'level' || !wasFiring);
    const cold = (fired.at(-1) ?? Number.NEGATIVE_INFINITY) + rules.cooldown < at;
    if (due && cold) {
      fired.push(at);
      return 'fired';
    }
    return isUnknown ? 'unknown' : 'quiet';
  });

  let at = 0;
  return steps.map((step, index) => {
    if (timely[index]) {
      const outcome = { phase: phases[at] ?? 'inactive', verdict: verdicts[at] ?? 'quiet', late: false } as const;
      at++;
      return outcome;
    }
    const verdict = typeof step.condition === 'object' ? 'unknown' : 'quiet';
    return { phase: phases[at - 1] ?? 'inactive', verdict, late: true } as const;
  });
}
