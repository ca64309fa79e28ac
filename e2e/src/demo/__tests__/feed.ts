/** An iteration that a test feeds: what is told to it comes out, in order. */
export class Feed<T> implements AsyncIterable<T> {
  readonly #told: T[] = [];
  #failure: Error | undefined;
  #wake: () => void = () => {};

  tell(...values: readonly T[]): void {
    this.#told.push(...values);
    this.#wake();
  }

  fail(error: Error): void {
    this.#failure = error;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      const [next] = this.#told.splice(0, 1);
      if (next !== undefined) yield next;
      else if (this.#failure) throw this.#failure;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}
