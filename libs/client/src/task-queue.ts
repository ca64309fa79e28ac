import {
  type Bus,
  type ConsumerSpec,
  isJetStreamError,
  JS_ERROR,
  PullConsumer,
  type PulledMessage,
} from '@tidegate/bus';
import {
  STREAMS,
  TASK_ACK_WAIT_MS,
  TASK_DELIVERIES,
  type TaskBody,
  taskBodySchema,
  taskSubject,
  UnavailableError,
} from '@tidegate/protocol';

/** Work that a trigger asked for. It is this worker's until it is settled, by the first of `ack`, `retry`, or silence. */
export interface Task {
  /** `attempt` is the true number of this delivery, from 1. */
  readonly body: TaskBody;
  /**
   * Done. When it returns the task will not come again.
   *
   * @throws UnavailableError, TimeoutError where that is unknown
   */
  ack(): Promise<void>;
  /** Failed: it comes again, after a pause that doubles with every attempt unless another one is given. */
  retry(delayMs?: number): void;
  /** Still at it. Done by itself every few seconds until `holdMs` are over. */
  extend(): void;
}

export interface TasksOptions {
  /** Most tasks that are unsettled at a time; default 1. */
  readonly concurrency?: number;
  /** Milliseconds for which an unsettled task is kept from others; default an hour. */
  readonly holdMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Signs of life while the queue waits for one. */
const HEARTBEATS = 3;
const HOLD_MS = 3_600_000;
const PULL_MS = 30_000;
const FIRST_DELAY_MS = 1000;
const LONGEST_DELAY_MS = 60_000;
const utf8 = new TextDecoder();

/** The consumer that all workers of a kind of task pull from; anybody may make it, the first one does. */
export function taskConsumer(name: string): ConsumerSpec {
  return {
    stream: STREAMS.tasks.name,
    name,
    filter: taskSubject(name),
    ackWaitMs: TASK_ACK_WAIT_MS,
    deliveries: TASK_DELIVERIES,
  };
}

/** Pause before the delivery behind a failed one, in milliseconds: from a second, doubled each time, a minute at most. */
export function retryPause(attempt: number): number {
  return Math.min(FIRST_DELAY_MS * 2 ** (attempt - 1), LONGEST_DELAY_MS);
}

/**
 * Tasks of one kind as they come, until the signal or the iteration ends it. Every one is to be settled; no more than
 * `concurrency` are handed out unsettled.
 *
 * @throws UnavailableError, also where no trigger-engine has run yet
 */
export async function* tasks(
  bus: Bus,
  name: string,
  { concurrency = 1, holdMs = HOLD_MS, signal }: TasksOptions = {},
): AsyncGenerator<Task, void, undefined> {
  const waiting: HeldTask[] = [];
  let held = 0;
  let wake: () => void = () => {};
  const settled = (): void => {
    held--;
    wake();
  };
  const ended = (): void => wake();
  signal?.addEventListener('abort', ended, { once: true });
  try {
    const consumer = await PullConsumer.open(bus, taskConsumer(name), signal);
    while (!signal?.aborted) {
      const task = waiting.shift();
      if (task) {
        yield task;
        continue;
      }
      if (held >= concurrency) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      for (const message of await consumer.next({ batch: concurrency - held, expiresMs: PULL_MS, signal })) {
        const body = taskBody(message);
        if (body) {
          held++;
          waiting.push(new HeldTask(message, body, { holdMs, settled, heartbeatMs: consumer.ackWaitMs / HEARTBEATS }));
        } else {
          // Counted as a failure, so that it ends among the dead ones, where somebody may look at it.
          bus.logger.error({ task: name, sequence: message.sequence }, 'a task has no readable body');
          message.nak(retryPause(message.attempt));
        }
      }
    }
  } catch (error) {
    if (signal?.aborted) return;
    if (!isJetStreamError(error, JS_ERROR.streamNotFound)) throw error;
    throw new UnavailableError(`there is no stream ${STREAMS.tasks.name} yet: start a trigger-engine`, 1000);
  } finally {
    signal?.removeEventListener('abort', ended);
    for (const task of waiting) task.retry(0);
  }
}

/** A task with its heartbeats. */
class HeldTask implements Task {
  readonly body: TaskBody;
  readonly #message: PulledMessage;
  readonly #settled: () => void;
  readonly #heartbeat: NodeJS.Timeout;
  #isSettled = false;

  constructor(
    message: PulledMessage,
    body: TaskBody,
    {
      holdMs,
      heartbeatMs,
      settled,
    }: { readonly holdMs: number; readonly heartbeatMs: number; readonly settled: () => void },
  ) {
    this.body = body;
    this.#message = message;
    this.#settled = settled;
    let beatsLeft = Math.floor(holdMs / heartbeatMs);
    this.#heartbeat = setInterval(() => {
      if (beatsLeft-- > 0) this.#message.working();
      // The server hands it to somebody else; this one's place is free again.
      else this.#settle();
    }, heartbeatMs).unref();
  }

  ack(): Promise<void> {
    this.#settle();
    return this.#message.ack();
  }

  retry(delayMs: number = retryPause(this.body.attempt)): void {
    if (this.#settle()) this.#message.nak(delayMs);
  }

  extend(): void {
    if (!this.#isSettled) this.#message.working();
  }

  #settle(): boolean {
    if (this.#isSettled) return false;
    this.#isSettled = true;
    clearInterval(this.#heartbeat);
    this.#settled();
    return true;
  }
}

function taskBody({ data, attempt }: PulledMessage): TaskBody | undefined {
  try {
    const parsed = taskBodySchema.safeParse(JSON.parse(utf8.decode(data)));
    return parsed.success ? { ...parsed.data, attempt } : undefined;
  } catch {
    return undefined;
  }
}
