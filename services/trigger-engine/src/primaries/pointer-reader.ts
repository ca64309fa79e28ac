import { type Bus, OrderedConsumer } from '@tidegate/bus';
import { type PointerMessage, pointersOf, STREAMS } from '@tidegate/protocol';

export interface PointerReaderOptions {
  readonly shard: number;
  readonly onPointer: (pointer: PointerMessage) => void;
  /** Pointers may have been missed: an interruption was long, or the stream dropped some. */
  readonly onGap: () => void;
}

const utf8 = new TextDecoder();

/** Reads the pointers to the triggers of one primary shard, from when it is opened. */
export class PointerReader {
  readonly #bus: Bus;
  readonly #options: PointerReaderOptions;
  readonly #waiting = new Set<() => void>();
  #consumer: OrderedConsumer | undefined;
  /** Everything up to this sequence of the stream is read; undefined before the first opening. */
  #read: number | undefined;

  /** Returns when every pointer that is published from now on will be read. @throws UnavailableError */
  static async open(bus: Bus, options: PointerReaderOptions): Promise<PointerReader> {
    const reader = new PointerReader(bus, options);
    reader.#consumer = await OrderedConsumer.open(bus, {
      stream: STREAMS.pointers.name,
      filter: pointersOf(options.shard),
      start: () => ({ sequence: (reader.#read ?? 0) + 1 }),
      onOpen: (last) => reader.#opened(last),
      onMessage: ({ data, sequence }) => reader.#take(data, sequence),
    });
    return reader;
  }

  private constructor(bus: Bus, options: PointerReaderOptions) {
    this.#bus = bus;
    this.#options = options;
  }

  /** True once everything up to a sequence is read, false where that takes too long. */
  reached(sequence: number, withinMs: number): Promise<boolean> {
    if ((this.#read ?? 0) >= sequence) return Promise.resolve(true);
    return new Promise((resolve) => {
      const look = (): void => {
        if ((this.#read ?? 0) < sequence) return;
        end(true);
      };
      const end = (reached: boolean): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve(reached);
      };
      const timer = setTimeout(() => end(false), withinMs);
      this.#waiting.add(look);
    });
  }

  stop(): void {
    this.#consumer?.stop();
  }

  #opened(last: number): void {
    const read = this.#read;
    // At first only what comes from now on counts; a stream that was made anew begins below.
    this.#read = read === undefined ? last : Math.min(read, last);
    if (read !== undefined) this.#options.onGap();
  }

  #take(data: Uint8Array, sequence: number): void {
    this.#read = sequence;
    try {
      this.#options.onPointer(JSON.parse(utf8.decode(data)) as PointerMessage);
    } catch (error) {
      const { shard } = this.#options;
      this.#bus.logger.error(
        { err: error, shard, sequence },
        'a pointer that cannot be read; its step is found at the next backfill',
      );
    }
    for (const look of [...this.#waiting]) look();
  }
}
