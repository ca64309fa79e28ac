/** What a serial reference of an alarm is told of a step. */
export interface AlarmStep {
  readonly holds: boolean;
  readonly recovers: boolean;
}

export interface AlarmRules {
  readonly for: number;
  readonly keepFiringFor: number;
  readonly cooldown: number;
  readonly edge: 'level' | 'rising';
}

export interface AlarmOutcome {
  readonly verdict: 'fired' | 'quiet';
  readonly state: 'inactive' | 'pending' | 'firing';
}

/** The verdicts on a series of steps of a trigger with hysteresis: a straight loop, apart from the engine's own. */
export function alarmSeries(rules: AlarmRules, steps: readonly AlarmStep[]): readonly AlarmOutcome[] {
  const outcomes: AlarmOutcome[] = [];
  let on = false;
  let streak = 0;
  let over = 0;
  let firedAt = Number.NEGATIVE_INFINITY;
  for (const [at, { holds, recovers }] of steps.entries()) {
    const wasOn = on;
    streak = holds ? streak + 1 : 0;
    if (on) {
      over = !holds && recovers ? over + 1 : 0;
      if (over > rules.keepFiringFor) on = false;
    } else if (streak >= Math.max(1, rules.for)) {
      on = true;
      over = 0;
    }
    const fires = on && (rules.edge === 'level' || !wasOn) && at > firedAt + rules.cooldown;
    if (fires) firedAt = at;
    outcomes.push({ verdict: fires ? 'fired' : 'quiet', state: on ? 'firing' : streak > 0 ? 'pending' : 'inactive' });
  }
  return outcomes;
}
