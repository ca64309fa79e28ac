import { type Bus, monotonicNow, retrying, type ShardRouter } from '@tidegate/bus';
import type { Box } from '@tidegate/geometry';
import { type Epoch, isTidegateError, NotFoundError, UnavailableError } from '@tidegate/protocol';
import { chunkBytes, type PieceSource, readObject, readPieces, wholeBytes } from './piece-reader.js';
import type { PlannedPiece } from './plan.js';
import { readThrough } from './read-through.js';
import { planCovered, type Region, type RegionPlan } from './region-planner.js';
import { RegionWaits } from './region-waits.js';
import { boxBytes } from './variable-handle.js';

/** One read of a piece that got no answer is tried again, by a fresh plan, after this long. */
const READ_MS = 5000;

export interface RegionReaderOptions {
  readonly bus: Bus;
  readonly router: ShardRouter;
  readonly source: PieceSource;
}

export interface RegionReadOptions {
  /** Milliseconds to wait for the region to become covered. */
  readonly waitMs: number;
  /** Monotonic milliseconds; past it nothing is tried again. It lies after the wait. */
  readonly deadline: number;
  readonly signal?: AbortSignal | undefined;
  /** Hears how many bytes of an array have come so far; a read that has to begin anew begins at 0. */
  readonly onProgress?: ((bytes: number) => void) | undefined;
}

/** An opaque object with its place. */
export interface StoredObject {
  readonly id: string;
  readonly box: Box;
  readonly bytes: Uint8Array;
}

/**
 * Gets regions: plans at the shards, reads at the raw-services, plans again where a piece moved or its raw-service is
 * gone. What it returns is whole and the newest of every cell, or it throws.
 */
export class RegionReader {
  readonly #bus: Bus;
  readonly #router: ShardRouter;
  readonly #source: PieceSource;
  readonly #waits = new RegionWaits({
    read: async (region, options) => {
      const bytes = new Uint8Array(boxBytes(region.variable, region.box));
      return { bytes, ...(await this.readAlone(region, bytes, options)) };
    },
  });

  constructor({ bus, router, source }: RegionReaderOptions) {
    this.#bus = bus;
    this.#router = router;
    this.#source = source;
  }

  /** Waits until the region is covered. Errors: see `planCovered`. */
  plan(region: Region, options: RegionReadOptions): Promise<RegionPlan> {
    return this.#plan(region, options, monotonicNow() + options.waitMs);
  }

  #plan(region: Region, { waitMs, deadline, signal }: RegionReadOptions, waitUntil: number): Promise<RegionPlan> {
    return planCovered(this.#router, region, { waitUntil, deadline, signal, waited: waitMs > 0 });
  }

  /**
   * Reads an array into `target`: packed, row-major, `volume(region.box) * itemSize` bytes. Equal small ones that wait
   * share their plan and their read.
   *
   * @throws as `planCovered`; UnavailableError or TimeoutError at the deadline
   */
  async read(region: Region, target: Uint8Array, options: RegionReadOptions): Promise<{ readonly epoch: Epoch }> {
    const { waitMs, deadline, signal, onProgress } = options;
    if (waitMs === 0 || signal || onProgress || target.length > wholeBytes(this.#bus)) {
      return this.readAlone(region, target, options);
    }
    assertTarget(region, target);
    const { bytes, epoch } = await this.#waits.get(region, { waitMs, deadline });
    target.set(bytes);
    return { epoch };
  }

  /** The same, sharing nothing. */
  async readAlone(region: Region, target: Uint8Array, options: RegionReadOptions): Promise<{ readonly epoch: Epoch }> {
    const { itemSize } = region.variable;
    assertTarget(region, target);
    if (options.waitMs === 0 && target.length <= wholeBytes(this.#bus)) {
      const through = await readThrough(this.#bus, this.#router, region, target, options);
      if (through) return through;
    }
    return this.#planAndRead(region, options, (pieces, timeoutMs) =>
      readPieces(this.#source, pieces, { bytes: target, box: region.box, itemSize }, chunkBytes(this.#bus), {
        ...options,
        timeoutMs,
      }),
    );
  }

  /** Reads every opaque object that a region needs, in the order of their places. */
  async readObjects(
    region: Region,
    options: RegionReadOptions,
  ): Promise<{ readonly epoch: Epoch; readonly objects: readonly StoredObject[] }> {
    let objects: readonly StoredObject[] = [];
    const { epoch } = await this.#planAndRead(region, options, async (pieces, timeoutMs) => {
      const read: StoredObject[] = [];
      for (const piece of [...pieces].sort(byPlace)) {
        const bytes = await readObject(this.#source, piece, chunkBytes(this.#bus), { ...options, timeoutMs });
        read.push({ id: piece.id, box: piece.box, bytes });
      }
      objects = read;
    });
    return { epoch, objects };
  }

  async #planAndRead(
    region: Region,
    options: RegionReadOptions,
    read: (pieces: readonly PlannedPiece[], timeoutMs: number) => Promise<void>,
  ): Promise<{ readonly epoch: Epoch }> {
    let planned = false;
    // A put that was planned with may be undone before it is read, by a crash say: what is left of the wait counts then.
    const waitUntil = monotonicNow() + options.waitMs;
    return retrying(
      async (remainingMs) => {
        const plan = await this.#plan(region, options, waitUntil);
        planned = true;
        try {
          await read(plan.pieces, Math.min(READ_MS, remainingMs));
        } catch (error) {
          // The partition was deleted, superseded or moved after the plan was made: a fresh plan tells which.
          if (error instanceof NotFoundError) throw new UnavailableError(error.message, 1, { cause: error });
          throw error;
        }
        return { epoch: plan.epoch };
      },
      {
        ...options,
        retryOn: (error: unknown) =>
          planned && isTidegateError(error) && ['UNAVAILABLE', 'BUSY', 'TIMEOUT'].includes(error.code),
      },
    );
  }
}

function assertTarget({ variable, box }: Region, target: Uint8Array): void {
  const expected = boxBytes(variable, box);
  if (target.length !== expected) throw new RangeError(`expected a target of ${expected} bytes, got ${target.length}`);
}

function byPlace(a: PlannedPiece, b: PlannedPiece): number {
  for (let axis = 0; axis < a.box.lower.length; axis++) {
    const order = (a.box.lower[axis] ?? 0) - (b.box.lower[axis] ?? 0);
    if (order !== 0) return order;
  }
  return a.id < b.id ? -1 : 1;
}
