import type { ReaderReport } from './reader.js';
import type { WriterReport } from './writer.js';

/** What a run comes to. Times in milliseconds; p50 are of single calls. */
export interface Totals {
  readonly puts: number;
  readonly putBytes: number;
  readonly putMs: number;
  readonly putP50Ms: number;
  readonly haloBytes: number;
  readonly gets: number;
  readonly getBytes: number;
  readonly getMs: number;
  readonly getP50Ms: number;
}

/** Adds up what the writers and the reader of one run report. */
export class Tally {
  /** Last step of each writer, -1 before its first. */
  readonly #written: number[];
  #read = -1;
  readonly #putsMs: number[] = [];
  readonly #getsMs: number[] = [];
  #putBytes = 0;
  #putMs = 0;
  #haloBytes = 0;
  #getBytes = 0;
  #getMs = 0;

  constructor(writers: number) {
    this.#written = new Array<number>(writers).fill(-1);
  }

  addWriter(writer: number, report: WriterReport): void {
    this.#written[writer] = report.step;
    this.#putBytes += report.putBytes;
    this.#putMs += report.putMs;
    this.#haloBytes += report.haloBytes;
    this.#putsMs.push(...report.putsMs);
  }

  addReader(report: ReaderReport): void {
    this.#read = report.step;
    this.#getBytes += report.getBytes;
    this.#getMs += report.getMs;
    this.#getsMs.push(...report.getsMs);
  }

  /** The run was rolled back: what comes above this step comes again. */
  rewind(toStep: number): void {
    for (const [writer, step] of this.#written.entries()) this.#written[writer] = Math.min(step, toStep);
    this.#read = Math.min(this.#read, toStep);
  }

  /** The last step that the reader has read, -1 before its first. */
  get lastRead(): number {
    return this.#read;
  }

  /** How far the run has come; before its end the first step counts as under way. */
  standing(): { readonly written: number; readonly read: number; readonly done: number } {
    return {
      written: Math.max(0, Math.min(...this.#written)),
      read: Math.max(0, this.#read),
      done: this.#written.reduce((sum, step) => sum + step + 1, this.#read + 1),
    };
  }

  totals(): Totals {
    return {
      puts: this.#putsMs.length,
      putBytes: this.#putBytes,
      putMs: this.#putMs,
      putP50Ms: median(this.#putsMs),
      haloBytes: this.#haloBytes,
      gets: this.#getsMs.length,
      getBytes: this.#getBytes,
      getMs: this.#getMs,
      getP50Ms: median(this.#getsMs),
    };
  }
}

/** The middle of the values, the lower one of two; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[(sorted.length - 1) >> 1] ?? Number.NaN;
}
