import type { DecisionReply } from '@tidegate/protocol';
import type { Decision } from '../semantics/index.js';

/** A decision as it is told. @param sequence where it is committed */
export function decisionReply(decision: Decision, sequence?: number): DecisionReply {
  const { run, epoch, step, trigger, generation, partition, verdict, state, late, indicator } = decision;
  const { values, failures, reason, committedAt } = decision;
  return {
    run,
    epoch,
    step,
    trigger,
    generation,
    ...(partition !== undefined && { partition }),
    verdict,
    state,
    late,
    indicator,
    values,
    ...(Object.keys(failures).length > 0 && { failures }),
    reason,
    committedAt,
    ...(sequence !== undefined && { sequence }),
  };
}
