import type { Box } from '@tidegate/geometry';
import type { ByteSource } from './piece-data.js';

/** Runs at least this long are read where they are wanted, shorter ones through a window. */
const DIRECT_BYTES = 16_384;
/** Runs further apart than this are read one by one: what lies between costs more than another read. */
const WINDOW_STEP = 8192;
const WINDOW_BYTES = 262_144;

/**
 * Reads the cells of a box out of a larger row-major array, packed in row-major order, a block at a time. Adjoining
 * short runs are fetched with one read.
 */
export class BoxReader {
  readonly #source: ByteSource;
  readonly #runBytes: number;
  /** Loops around the runs, innermost first: iterations and the bytes that one advances. */
  readonly #counts: number[] = [];
  readonly #steps: number[] = [];
  readonly #index: number[];
  readonly #endOffset: number;
  /** Where the current run begins, and how much of it was read. */
  #runOffset = 0;
  #done = 0;
  #isAtEnd = false;
  readonly #window: Uint8Array | undefined;
  #windowOffset = 0;
  #windowBytes = 0;

  /**
   * @param options.outer box of the array
   * @param options.box cells to read, inside `outer`
   */
  constructor({ source, outer, box, itemSize }: { source: ByteSource; outer: Box; box: Box; itemSize: number }) {
    this.#source = source;
    let stride = itemSize;
    let runBytes = itemSize;
    let isContiguous = true;
    let last = 0;
    for (let d = box.lower.length - 1; d >= 0; d--) {
      const lower = (box.lower[d] ?? 0) - (outer.lower[d] ?? 0);
      const extent = (box.upper[d] ?? 0) - (box.lower[d] ?? 0);
      const full = (outer.upper[d] ?? 0) - (outer.lower[d] ?? 0);
      this.#runOffset += lower * stride;
      last += (lower + extent - 1) * stride;
      if (isContiguous) {
        runBytes *= extent;
      } else if (extent > 1) {
        this.#counts.push(extent);
        this.#steps.push(stride);
      }
      isContiguous &&= extent === full;
      stride *= full;
    }
    this.#runBytes = runBytes;
    this.#endOffset = last + itemSize;
    this.#index = this.#counts.map(() => 0);
    const isWindowed = this.#counts.length > 0 && runBytes < DIRECT_BYTES && (this.#steps[0] ?? 0) <= WINDOW_STEP;
    if (isWindowed) this.#window = new Uint8Array(Math.min(WINDOW_BYTES, this.#endOffset - this.#runOffset));
  }

  /** Fills `target` with the next cells; answers how many bytes, which are fewer only at the end. */
  fill(target: Uint8Array): number {
    let filled = 0;
    while (filled < target.length && !this.#isAtEnd) {
      const bytes = Math.min(this.#runBytes - this.#done, target.length - filled);
      const part = target.subarray(filled, filled + bytes);
      if (this.#window === undefined) this.#source(this.#runOffset + this.#done, part);
      else this.#fromWindow(this.#window, this.#runOffset + this.#done, part);
      filled += bytes;
      this.#done += bytes;
      if (this.#done === this.#runBytes) this.#nextRun();
    }
    return filled;
  }

  #fromWindow(window: Uint8Array, offset: number, part: Uint8Array): void {
    if (offset < this.#windowOffset || offset + part.length > this.#windowOffset + this.#windowBytes) {
      this.#windowOffset = offset;
      this.#windowBytes = Math.min(window.length, this.#endOffset - offset);
      this.#source(offset, window.subarray(0, this.#windowBytes));
    }
    const from = offset - this.#windowOffset;
    // Runs of a few bytes are many: a loop is quicker than a view of each.
    if (part.length <= 64) for (let i = 0; i < part.length; i++) part[i] = window[from + i] as number;
    else part.set(window.subarray(from, from + part.length));
  }

  #nextRun(): void {
    this.#done = 0;
    for (let loop = 0; loop < this.#counts.length; loop++) {
      const count = this.#counts[loop] as number;
      const step = this.#steps[loop] as number;
      const next = (this.#index[loop] as number) + 1;
      this.#runOffset += step;
      if (next < count) {
        this.#index[loop] = next;
        return;
      }
      this.#index[loop] = 0;
      this.#runOffset -= step * count;
    }
    this.#isAtEnd = true;
  }
}
