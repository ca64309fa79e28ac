import { type Bus, inParallel, publishStored } from '@tidegate/bus';
import { formatBox } from '@tidegate/geometry';
import {
  BusyError,
  encodeBody,
  type IndexEntry,
  type PointerMessage,
  pointerSubject,
  StorageFullError,
  type TidegateError,
  UnavailableError,
} from '@tidegate/protocol';
import type { TriggerPointer } from './trigger-pointers.js';

/** Messages that may be unanswered in one process, and of one partition. */
const IN_FLIGHT_LIMIT = 1024;
const WIDTH = 256;
const BUSY_RETRY_MS = 20;
const FAILED_RETRY_MS = 100;
/** Shorter than a raw-service waits for the answer to its index request, so that it hears why there is none. */
const PUBLISH_MS = 1500;

export interface PointerPublisherOptions {
  readonly bus: Bus;
  readonly inFlightLimit?: number;
  readonly timeoutMs?: number;
}

/** Tells triggers of partitions, on the stream TIDE_POINTERS. A bounded number of messages is under way at a time. */
export class PointerPublisher {
  readonly #bus: Bus;
  readonly #limit: number;
  readonly #timeoutMs: number;
  #inFlight = 0;

  constructor({ bus, inFlightLimit = IN_FLIGHT_LIMIT, timeoutMs = PUBLISH_MS }: PointerPublisherOptions) {
    this.#bus = bus;
    this.#limit = inFlightLimit;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Returns once a message to each of the triggers is stored. Where that fails some may be stored, and all of them may
   * be sent again: a trigger that hears of a partition twice knows no more than before. So there is no message id,
   * which would keep back the news of a partition that was put, undone, and put again.
   *
   * @throws StorageFullError; BusyError; UnavailableError, also where it is unknown whether a message was stored
   */
  async publish(entry: IndexEntry, pointers: readonly TriggerPointer[]): Promise<void> {
    const wanted = Math.min(pointers.length, WIDTH);
    if (this.#inFlight + wanted > this.#limit) {
      throw new BusyError(`expected at most ${this.#limit} triggers that are being told of partitions`, BUSY_RETRY_MS);
    }
    const { id, run, variable, step, epoch, box, bytes, stamp, raw } = entry;
    const told = { variable, run, step, epoch, id, box: formatBox(box), bytes, stamp, raw };
    await inParallel(pointers, WIDTH, ({ id: trigger, primary }) => this.#send(primary, { trigger, ...told }));
  }

  async #send(primary: number, message: PointerMessage): Promise<void> {
    this.#inFlight++;
    try {
      await publishStored(this.#bus, pointerSubject(primary, message.trigger), encodeBody(message, 'json'), {
        timeoutMs: this.#timeoutMs,
      });
    } catch (error) {
      throw refusal(message.trigger, error);
    } finally {
      this.#inFlight--;
    }
  }
}

function refusal(trigger: string, error: unknown): TidegateError {
  if (error instanceof StorageFullError) return error;
  const why = error instanceof Error ? error.message : String(error);
  return new UnavailableError(`trigger "${trigger}" could not be told of the partition: ${why}`, FAILED_RETRY_MS, {
    cause: error,
  });
}
