import { monotonicNow, retrying } from '@tidegate/bus';
import { PUBLIC } from '@tidegate/protocol';
import { decisionId } from '../semantics/index.js';
import type { ActionContext } from './context.js';
import type { EntryOf, Occasion } from './occasion.js';

const PIN_MS = 15_000;
const ATTEMPT_MS = 5000;

/** Pins the step of a decision and those before it, as many as the action says. @throws as a request */
export async function pinSteps(
  { bus }: ActionContext,
  { action }: EntryOf<'pin'>,
  { decision, signal }: Occasion,
): Promise<void> {
  const { variable, run, step } = decision;
  const request = {
    variable,
    run,
    steps: `${Math.max(0, step - action.steps + 1)}:${step + 1}`,
    reason: `trigger decision ${decisionId(decision)}`,
  };
  await retrying(() => bus.requestJson(PUBLIC.pin, request, { timeoutMs: ATTEMPT_MS, signal }), {
    deadline: monotonicNow() + PIN_MS,
    signal,
  });
}
