/**
 * Shares the answers to one question among all who ask it at about the same time. Whoever asks gets an answer that was
 * begun after it asked: at most one is under way and one waits for each key, and the waiting one is shared.
 */
export class Joined<T> {
  readonly #running = new Map<string, Promise<unknown>>();
  readonly #waiting = new Map<string, Promise<T>>();

  ask(key: string, make: () => Promise<T>): Promise<T> {
    const waiting = this.#waiting.get(key);
    if (waiting) return waiting;
    const running = this.#running.get(key);
    if (!running) return this.#start(key, make);
    const next = running.then(
      () => this.#next(key, make),
      () => this.#next(key, make),
    );
    this.#waiting.set(key, next);
    return next;
  }

  #next(key: string, make: () => Promise<T>): Promise<T> {
    this.#waiting.delete(key);
    return this.#start(key, make);
  }

  #start(key: string, make: () => Promise<T>): Promise<T> {
    const answer = make();
    const settled = () => {
      if (this.#running.get(key) === answer) this.#running.delete(key);
    };
    this.#running.set(key, answer);
    answer.then(settled, settled);
    return answer;
  }
}
