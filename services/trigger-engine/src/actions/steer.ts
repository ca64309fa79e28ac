import { publishEvent } from '@tidegate/bus';
import { type SteerBody, steerSubject } from '@tidegate/protocol';
import type { ActionContext } from './context.js';
import type { EntryOf, Occasion } from './occasion.js';
import { untilStored } from './until-stored.js';

/** Tells a run what to do. Receivers take it once: they reject what is not newer by epoch, decision and action. */
export async function steer(
  { bus, logger }: ActionContext,
  { id, action }: EntryOf<'steer'>,
  { decision, sequence, signal }: Occasion,
): Promise<void> {
  const { epoch, trigger, step, run } = decision;
  const { op, args } = action;
  const body: SteerBody = { op, args, epoch, decision: sequence, trigger, step, action: indexOf(id) };
  await untilStored(() => publishEvent(bus, steerSubject(run), body, { msgId: id }), {
    logger,
    what: `steering ${id}`,
    signal,
  });
}

/** Place of an action in its definition, from its id. */
function indexOf(actionId: string): number {
  return Number(actionId.slice(actionId.lastIndexOf('#') + 1));
}
