/**
 * The newest distinct steps that were seen of one variable and run, at most `size` of them. A step that is older than
 * all of a full window is outside of it for good.
 */
export class StepWindow {
  readonly size: number;
  /** In rising order. */
  readonly #steps: number[] = [];

  constructor(size: number) {
    this.size = Math.max(1, size);
  }

  /** Takes notice of a step; true if it is new to the window. */
  seen(step: number): boolean {
    const steps = this.#steps;
    let at = steps.length;
    while (at > 0 && (steps[at - 1] ?? 0) > step) at--;
    if (at > 0 && steps[at - 1] === step) return false;
    if (steps.length < this.size) {
      steps.splice(at, 0, step);
      return true;
    }
    if (at === 0) return false;
    // The oldest one leaves: those between it and the new one move down.
    steps.copyWithin(0, 1, at);
    steps[at - 1] = step;
    return true;
  }

  /** The lowest step of the window once it is full: steps below are outside. Undefined before. */
  floor(): number | undefined {
    return this.#steps.length < this.size ? undefined : this.#steps[0];
  }

  /** Forgets the steps above this one, as a rollback asks for. */
  forgetAbove(step: number): void {
    while ((this.#steps.at(-1) ?? -1) > step) this.#steps.pop();
  }
}
