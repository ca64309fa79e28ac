/**
 * The newest distinct steps that were seen of one variable and run, at most `size` of them. A step that is older than
 * all of a full window is outside of it for good. Taking a step newer than all costs the same for windows of any size.
 */
export class StepWindow {
  readonly size: number;
  /** In rising order from `#first` on; what lies before has left the window. */
  #steps: number[] = [];
  #first = 0;

  constructor(size: number) {
    this.size = Math.max(1, size);
  }

  /** Takes notice of a step; true if it is new to the window. */
  seen(step: number): boolean {
    const steps = this.#steps;
    const at = this.#firstAbove(step);
    if (at > this.#first && steps[at - 1] === step) return false;
    const full = steps.length - this.#first >= this.size;
    if (full && at === this.#first) return false;
    if (at === steps.length) steps.push(step);
    else steps.splice(at, 0, step);
    if (full) this.#dropOldest();
    return true;
  }

  /** The lowest step of the window once it is full: steps below are outside. Undefined before. */
  floor(): number | undefined {
    return this.#steps.length - this.#first < this.size ? undefined : this.#steps[this.#first];
  }

  /** Forgets the steps above this one, as a rollback asks for. */
  forgetAbove(step: number): void {
    this.#steps = this.#steps.slice(this.#first, this.#firstAbove(step));
    this.#first = 0;
  }

  /** Moves the start, and the array once half of it lies before the start. */
  #dropOldest(): void {
    this.#first++;
    if (this.#first < this.size) return;
    this.#steps = this.#steps.slice(this.#first);
    this.#first = 0;
  }

  /** Position of the first step above this one, by bisection. */
  #firstAbove(step: number): number {
    let low = this.#first;
    let high = this.#steps.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#steps[middle] ?? 0) > step) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
