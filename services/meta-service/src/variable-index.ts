import { type Box, boxOfShape, createShardMap, formatBox, type ShardMap } from '@tidegate/geometry';
import type { VariableRecord } from '@tidegate/protocol';
import { type Region, regionOf } from './region.js';
import { RunIndex } from './run-index.js';
import type { Held } from './step-index.js';

/** Regions that are kept: finding the boxes of one can take longer than planning it. */
const REGIONS = 256;

/** What is staged of one variable, by run. */
export class VariableIndex {
  readonly record: VariableRecord;
  readonly map: ShardMap;
  readonly domain: Box;
  /** Deleted from the `variables` bucket: takes nothing more and answers nothing but `list`. */
  deleted = false;
  readonly #runs = new Map<string, RunIndex>();
  readonly #regions = new Map<string, Region>();

  constructor(record: VariableRecord) {
    this.record = record;
    const { shape, shards, layout } = record;
    this.map = createShardMap({ shape, shards, layout });
    this.domain = boxOfShape(shape);
  }

  /** The part of `box` (inside the domain) in `shards`; the last ones asked for are kept. */
  region(box: Box, shards: readonly number[]): Region {
    const key = `${formatBox(box)}/${shards.join('.')}`;
    let region = this.#regions.get(key);
    if (region === undefined) {
      region = regionOf(this.map, box, shards);
      if (this.#regions.size >= REGIONS) this.#regions.clear();
      this.#regions.set(key, region);
    }
    return region;
  }

  run(run: string): RunIndex | undefined {
    return this.#runs.get(run);
  }

  runs(): IterableIterator<RunIndex> {
    return this.#runs.values();
  }

  /** The run, made where it is not there. */
  openRun(run: string): RunIndex {
    let index = this.#runs.get(run);
    if (index === undefined) {
      index = new RunIndex(run);
      this.#runs.set(run, index);
    }
    return index;
  }

  /** Lets a run go that has nothing left. */
  closeRun(index: RunIndex): void {
    if (index.idle && this.#runs.get(index.run) === index) this.#runs.delete(index.run);
  }

  /** Number of partitions in all runs and steps. */
  get partitions(): number {
    let count = 0;
    for (const run of this.#runs.values()) for (const step of run.steps()) count += step.size;
    return count;
  }

  wakeAll(): void {
    for (const run of this.#runs.values()) run.wakeAll();
  }

  /** Forgets every partition for which `doomed` says so; it may edit those that stay. */
  sweep(doomed: (held: Held) => boolean): void {
    for (const run of [...this.#runs.values()]) {
      for (const step of [...run.steps()]) {
        const ids: string[] = [];
        for (const held of step.values()) if (doomed(held)) ids.push(held.id);
        if (ids.length === 0) continue;
        run.change(step.step, (index) => {
          for (const id of ids) index.remove(id);
        });
      }
      this.closeRun(run);
    }
  }
}
