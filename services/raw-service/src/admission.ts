import { BusyError, StorageFullError, type StorageFullFields, TooLargeError } from '@tidegate/protocol';
import { fullMark, type Level, nextLevel, WATERMARKS } from './watermark.js';

/** What a store's admission hands out. */
export type { Reservation } from './memory-tier.js';
/** Most puts that wait for room at a time. */
export const MAX_WAITERS = 1024;
const BUSY_RETRY_MS = 500;
/** setTimeout takes no more. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** How a put wants to be admitted. */
export interface AdmissionOptions {
  /** Milliseconds to wait for room; 0 to be told at once. */
  readonly waitMs: number;
  readonly signal?: AbortSignal;
  /** Disk room is needed too, before the put is acknowledged. */
  readonly durable?: boolean;
}

/** The room that admission hands out, as it stands. */
export interface AdmissionRoom<T> {
  readonly limitBytes: number;
  usedBytes(): number;
  /** What a payload of so many bytes takes. */
  needBytes(bytes: number): number;
  /** Takes the room; undefined if it cannot be had. */
  take(bytes: number, durable: boolean): T | undefined;
  /** Whether the disk has room for a durable put. */
  diskFits(bytes: number): boolean;
  /** Puts found no room: something should leave memory. */
  pressed(): void;
  /** What keeps a put out, but for `needBytes`; `byDisk` if it is durable and the disk has no room for it. */
  refusal(byDisk: boolean): Omit<StorageFullFields, 'needBytes'>;
  /** The level may have changed. */
  level(level: Level): void;
}

interface Waiter<T> {
  readonly bytes: number;
  readonly durable: boolean;
  readonly resolve: (taken: T) => void;
  readonly reject: (error: unknown) => void;
  readonly settle: () => void;
}

/**
 * Lets puts into a bounded room, first come, first served: a small put never passes a large one that waits, so the
 * large one gets its turn. Payloads stay below the full mark. Once the room was full, everyone waits until use fell
 * below the mark where it is no longer full. A durable put that only the disk keeps out holds up nobody else.
 */
export class Admission<T> {
  readonly #room: AdmissionRoom<T>;
  readonly #waiters = new Set<Waiter<T>>();
  #level: Level = 'ok';
  #told: Level = 'ok';
  /** Room that the largest put needed that was refused and did not stay to wait. */
  #refusedNeed = 0;
  #closed: Error | undefined;

  constructor(room: AdmissionRoom<T>) {
    this.#room = room;
  }

  /** How full the room is; `full` also while a put waits that does not fit. */
  get level(): Level {
    return this.#told;
  }

  get waiting(): number {
    return this.#waiters.size;
  }

  /** Bytes that should leave the room, so that who waits, or was refused, finds room and the level goes down. */
  pressureBytes(): number {
    const { limitBytes } = this.#room;
    const used = this.#room.usedBytes();
    const need = Math.max(this.#headNeed(), this.#refusedNeed);
    const calm = this.#level === 'ok' ? limitBytes : Math.ceil(limitBytes * WATERMARKS.nearfullBack) - 1;
    return Math.max(0, used - calm, used + need - fullMark(limitBytes));
  }

  /**
   * Takes room for a payload.
   *
   * @throws TooLargeError for more than the room could ever hold, StorageFullError when there is no room at the end of
   *   the wait, BusyError when too many wait already, the signal's reason when it fires
   */
  reserve(bytes: number, options: AdmissionOptions): Promise<T> {
    const { waitMs, signal, durable = false } = options;
    const most = fullMark(this.#room.limitBytes);
    if (this.#room.needBytes(bytes) > most) {
      return Promise.reject(
        new TooLargeError(`expected at most ${most} bytes, which is all the room, got ${bytes}`, most),
      );
    }
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.#closed) return Promise.reject(this.#closed);
    const taken = this.#headNeed() > 0 ? undefined : this.#take(bytes, durable);
    if (taken !== undefined) {
      this.changed();
      return Promise.resolve(taken);
    }
    if (waitMs <= 0) {
      return Promise.reject(this.#refuse(bytes, durable));
    }
    if (this.#waiters.size >= MAX_WAITERS) {
      return Promise.reject(new BusyError(`expected fewer than ${MAX_WAITERS} puts waiting for room`, BUSY_RETRY_MS));
    }
    return this.#wait(bytes, durable, waitMs, signal);
  }

  /** Room came or went, or is known for the first time: lets in whoever fits now and works out the level. */
  changed(): void {
    this.#refresh(0);
    for (const waiter of this.#waiters) {
      const taken = this.#take(waiter.bytes, waiter.durable);
      if (taken !== undefined) {
        this.#waiters.delete(waiter);
        waiter.settle();
        waiter.resolve(taken);
      } else if (!this.#waitsForDisk(waiter)) {
        break;
      }
    }
    const need = this.#headNeed();
    if (this.#room.usedBytes() + this.#refusedNeed <= fullMark(this.#room.limitBytes)) this.#refusedNeed = 0;
    this.#refresh(need);
    this.#tell();
    if (need > 0 || this.#level !== 'ok') this.#room.pressed();
  }

  /** Nothing more can leave the room: refused puts are forgotten as a reason to evict. */
  calm(): void {
    this.#refusedNeed = 0;
  }

  /** Refuses all who wait and all who come. */
  close(error: Error): void {
    this.#closed = error;
    for (const waiter of this.#waiters) {
      waiter.settle();
      waiter.reject(error);
    }
    this.#waiters.clear();
  }

  #take(bytes: number, durable: boolean): T | undefined {
    const used = this.#room.usedBytes();
    if (this.#level === 'full' && used >= this.#room.limitBytes * WATERMARKS.fullBack) return undefined;
    if (used + this.#room.needBytes(bytes) > fullMark(this.#room.limitBytes)) return undefined;
    return this.#room.take(bytes, durable);
  }

  /** Room needed by the first waiter that memory keeps out; 0 if there is none. */
  #headNeed(): number {
    for (const waiter of this.#waiters) {
      if (!this.#waitsForDisk(waiter)) return this.#room.needBytes(waiter.bytes);
    }
    return 0;
  }

  #waitsForDisk({ durable, bytes }: Waiter<T>): boolean {
    return durable && !this.#room.diskFits(bytes);
  }

  #refresh(need: number): void {
    const used = this.#room.usedBytes();
    this.#level = nextLevel(this.#level, { used, limit: this.#room.limitBytes, demand: used + need });
  }

  #tell(): void {
    if (this.#told === this.#level) return;
    this.#told = this.#level;
    this.#room.level(this.#level);
  }

  /** The refused put will come again: room is to be made for it, though it does not stand in the queue. */
  #refuse(bytes: number, durable: boolean): StorageFullError {
    const needBytes = this.#room.needBytes(bytes);
    const diskRefuses = durable && !this.#room.diskFits(bytes);
    const used = this.#room.usedBytes();
    if (used + needBytes > fullMark(this.#room.limitBytes)) {
      this.#refusedNeed = Math.max(this.#refusedNeed, needBytes);
      const nearlyFull = used >= this.#room.limitBytes * WATERMARKS.fullBack;
      this.#refresh(Math.max(this.#headNeed(), nearlyFull ? needBytes : 0));
      this.#tell();
    }
    this.#room.pressed();
    const fields = { ...this.#room.refusal(diskRefuses), needBytes };
    const { limit, usedBytes, limitBytes } = fields;
    const free = Math.max(0, fullMark(limitBytes) - usedBytes);
    return new StorageFullError(
      `expected room for ${needBytes} bytes, but ${limit} has ${usedBytes} of ${limitBytes} bytes in use (${free} free)`,
      fields,
    );
  }

  #wait(bytes: number, durable: boolean, waitMs: number, signal: AbortSignal | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const leave = (error: unknown) => {
        this.#waiters.delete(waiter);
        waiter.settle();
        reject(error);
        // Who stood behind may fit.
        this.changed();
      };
      const timer = setTimeout(() => leave(this.#refuse(bytes, durable)), Math.min(waitMs, MAX_TIMER_MS));
      const aborted = () => leave(signal?.reason);
      signal?.addEventListener('abort', aborted, { once: true });
      const settle = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', aborted);
      };
      const waiter: Waiter<T> = { bytes, durable, resolve, reject, settle };
      this.#waiters.add(waiter);
      this.changed();
    });
  }
}
