import { type CompareState, INITIAL_STATE } from '../../semantics/index.js';
import type { LoggedDecision } from '../logged-decision.js';

/** A decision as an engine logs it. */
export function loggedDecision(fields: Partial<LoggedDecision> = {}): LoggedDecision {
  const { step = 1 } = fields;
  const after: CompareState = { ...INITIAL_STATE, phase: 'firing', held: 1, lastStep: step };
  return {
    trigger: 't',
    generation: 1,
    run: 'r',
    epoch: 0,
    step,
    verdict: 'quiet',
    state: 'firing',
    late: false,
    indicator: true,
    values: {},
    failures: {},
    reason: 'the condition holds',
    committedAt: '2026-01-01T00:00:00.000Z',
    after,
    outbox: [],
    variable: 'T',
    box: '0:4',
    time: 0,
    before: INITIAL_STATE,
    ...fields,
  };
}
