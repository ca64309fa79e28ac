/** What can be dropped and made anew. */
interface Droppable {
  readonly idle: boolean;
  /** Monotonic milliseconds. */
  readonly usedAt: number;
}

/** Bounds how many runs of triggers are kept: those go that are idle for longest. Busy ones stay, whatever their number. */
export class RunRoom {
  readonly #limit: number;
  readonly #drop = new Map<Droppable, () => void>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#drop.size;
  }

  /** @param drop called where it has to go */
  add(run: Droppable, drop: () => void): void {
    this.#makeRoom();
    this.#drop.set(run, drop);
  }

  delete(run: Droppable): void {
    this.#drop.delete(run);
  }

  #makeRoom(): void {
    if (this.#drop.size < this.#limit) return;
    let oldest: Droppable | undefined;
    for (const run of this.#drop.keys()) {
      if (run.idle && (oldest === undefined || run.usedAt < oldest.usedAt)) oldest = run;
    }
    if (oldest === undefined) return;
    const drop = this.#drop.get(oldest);
    this.#drop.delete(oldest);
    drop?.();
  }
}
