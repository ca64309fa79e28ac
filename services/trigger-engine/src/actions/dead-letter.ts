import { type Bus, type Logger, messageAt, publishEvent } from '@tidegate/bus';
import { deadTaskSubject, decodeBody, STREAMS, TASK_DELIVERIES, taskSubject } from '@tidegate/protocol';
import { deleteFromQueue, firstInQueue, queueConsumers } from './task-stream.js';

const STREAM = STREAMS.tasks.name;
/** What the server publishes when a message was delivered as often as its consumer allows. */
const ADVISORIES = `$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.${STREAM}.*`;
const QUEUE = 'tide-dead-letters';
const SWEEP_MS = 30_000;
const MESSAGE_ID = 'Nats-Msg-Id';
const utf8 = new TextDecoder();

/** Moves tasks that nobody could do to the stream of dead tasks. */
export interface DeadLetters {
  stop(): void;
}

/**
 * Begins to move tasks that were delivered as often as they may be: at the server's word, shared with other engines; and
 * every half minute those of which no engine heard.
 */
export function startDeadLetters(bus: Bus, logger: Logger, { sweepMs = SWEEP_MS } = {}): DeadLetters {
  let stopped = false;
  const guard = (work: Promise<unknown>): void => {
    work.catch((error: unknown) => {
      // The next sweep finds what was left.
      if (!stopped) logger.warn({ err: error }, 'could not move dead tasks');
    });
  };
  const stopListening = bus.listen(
    ADVISORIES,
    (data) => {
      const sequence = sequenceOf(data);
      if (sequence !== undefined) guard(bury(bus, logger, sequence));
    },
    { queue: QUEUE },
  );
  const timer = setInterval(() => guard(sweepDeadTasks(bus, logger)), sweepMs).unref();
  guard(sweepDeadTasks(bus, logger));
  return {
    stop() {
      stopped = true;
      clearInterval(timer);
      stopListening();
    },
  };
}

/** The sequence that an advisory names. */
function sequenceOf(data: Uint8Array): number | undefined {
  const { stream_seq: sequence } = JSON.parse(utf8.decode(data)) as { readonly stream_seq?: unknown };
  return typeof sequence === 'number' ? sequence : undefined;
}

/**
 * Moves what consumers have given up: of one that waits for no acknowledgement, all that it has delivered and that is
 * still there.
 *
 * @throws UnavailableError, JetStreamError
 */
export async function sweepDeadTasks(bus: Bus, logger: Logger): Promise<void> {
  for (const { name, filter, delivered, pending } of await queueConsumers(bus)) {
    if (pending > 0 || delivered === 0 || filter !== taskSubject(name)) continue;
    let sequence = await firstInQueue(bus, filter, 1);
    while (sequence !== undefined && sequence <= delivered) {
      await bury(bus, logger, sequence);
      sequence = await firstInQueue(bus, filter, sequence + 1);
    }
  }
}

async function bury(bus: Bus, logger: Logger, sequence: number): Promise<void> {
  const message = await messageAt(bus, STREAM, sequence);
  if (message === undefined) return;
  const name = message.subject.slice(taskSubject('').length);
  const { map } = decodeBody(message.data);
  const msgId = message.header(MESSAGE_ID) || `${STREAM}/${sequence}`;
  await publishEvent(bus, deadTaskSubject(name), { ...map, attempt: TASK_DELIVERIES }, { msgId });
  await deleteFromQueue(bus, sequence);
  logger.warn({ task: name, id: msgId, deliveries: TASK_DELIVERIES }, 'gave a task up');
}
