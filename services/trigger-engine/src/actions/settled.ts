import { type Bus, type KvBucket, type Logger, openBucket, settledWithin } from '@tidegate/bus';
import { type DecisionLogKey, type SettledRecord, settledKey } from '@tidegate/protocol';

/** How long a note waits for later ones of the same log, which make it needless. */
const COALESCE_MS = 200;
const RETRY_MS = 2000;
/** Notes that are kept at a time. One that finds no room is dropped, which only costs harmless repetitions. */
const NOTES = 16_384;
const WRITES = 16;
const STOP_MS = 3000;

/**
 * Notes up to where the actions of decision logs are done, so that a new owner does not do the last ones again. Written
 * some time after, and not at all where that fails: to do an action again is harmless.
 */
export class SettledLog {
  readonly #bucket: KvBucket<SettledRecord>;
  readonly #logger: Logger;
  readonly #notes = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #stopped = false;

  /** @throws UnavailableError, StorageFullError */
  static async open(bus: Bus, logger: Logger): Promise<SettledLog> {
    return new SettledLog(await openBucket<SettledRecord>(bus, 'settled'), logger);
  }

  constructor(bucket: KvBucket<SettledRecord>, logger: Logger) {
    this.#bucket = bucket;
    this.#logger = logger;
  }

  /** Sequence of the last decision of a log whose actions are known to be done; 0 for none. @throws UnavailableError */
  async read(log: DecisionLogKey): Promise<number> {
    return (await this.#bucket.get(settledKey(log)))?.value.sequence ?? 0;
  }

  /** The actions of a log's decisions are done up to this one. */
  note(log: DecisionLogKey, sequence: number): void {
    const key = settledKey(log);
    const noted = this.#notes.get(key);
    if (this.#stopped || (noted === undefined && this.#notes.size >= NOTES)) return;
    this.#notes.set(key, Math.max(noted ?? 0, sequence));
    this.#schedule(COALESCE_MS);
  }

  /** Writes what is noted, as far as that is done soon. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await settledWithin(this.#write(), STOP_MS);
  }

  #schedule(delayMs: number): void {
    if (this.#stopped) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#write().catch((error: unknown) => this.#logger.error({ err: error }, 'lost track of settled decisions'));
    }, delayMs).unref();
  }

  async #write(): Promise<void> {
    await this.#writing;
    this.#writing = this.#writeAll();
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    let failure: unknown;
    const lane = async (): Promise<void> => {
      for (const [key, sequence] of this.#notes) {
        this.#notes.delete(key);
        try {
          await this.#bucket.put(key, { sequence });
        } catch (error) {
          failure = error;
          this.#notes.set(key, Math.max(this.#notes.get(key) ?? 0, sequence));
          return;
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(WRITES, this.#notes.size) }, lane));
    if (failure === undefined) return;
    this.#logger.warn({ err: failure, logs: this.#notes.size }, 'could not note yet which decisions are settled');
    this.#schedule(RETRY_MS);
  }
}

/** `SettledLog.read` by a context. */
export function settledSequence({ settled }: { readonly settled: SettledLog }, log: DecisionLogKey): Promise<number> {
  return settled.read(log);
}
