import { publishEvent } from '@tidegate/bus';
import { type TaskBody, taskSubject } from '@tidegate/protocol';
import type { ActionContext } from './context.js';
import { type EntryOf, eventOfDecision, type Occasion } from './occasion.js';
import { ensureTaskConsumer } from './task-consumer.js';
import { untilStored } from './until-stored.js';

/**
 * Puts a task into its queue, waiting for room. A repetition within the stream's window for duplicates is stored once;
 * after that the idempotency key tells.
 */
export async function queueTask(
  { bus, logger }: ActionContext,
  { id, action }: EntryOf<'task'>,
  { decision, signal }: Occasion,
): Promise<void> {
  const { name, args } = action;
  const body: TaskBody = { ...eventOfDecision(decision), args, attempt: 1, idempotencyKey: id };
  const attempt = async (): Promise<void> => {
    await ensureTaskConsumer(bus, name);
    await publishEvent(bus, taskSubject(name), body, { msgId: id });
  };
  await untilStored(attempt, { logger, what: `task ${id}`, signal });
}
