import type { SteerBody } from '@tidegate/client';

/** What the simulation is told to do during one epoch. */
export interface Orders {
  /** Aborts when the run is to pause. */
  readonly paused: AbortSignal;
  /** The message that rolls the run back; rejects where following the messages failed. */
  readonly rollback: Promise<SteerBody>;
}

interface Standing {
  readonly epoch: number;
  readonly pause: AbortController;
  readonly resolve: (steer: SteerBody) => void;
  readonly reject: (error: unknown) => void;
}

/** Follows the steering messages of a run. What was said about an epoch that is over by now is passed over. */
export class Helm {
  readonly #ended = new AbortController();
  #standing: Standing | undefined;
  #failure: { readonly error: unknown } | undefined;

  /** @param follow opens the messages of the run, as `tide.run(name).steering` does */
  constructor(follow: (signal: AbortSignal) => AsyncIterable<SteerBody>) {
    this.#follow(follow(this.#ended.signal)).catch((error: unknown) => {
      if (this.#ended.signal.aborted) return;
      this.#failure = { error };
      this.#standing?.reject(error);
    });
  }

  /** The orders of an epoch that begins; those of the one before are done with. */
  orders(epoch: number): Orders {
    const { promise, resolve, reject } = Promise.withResolvers<SteerBody>();
    // Whoever awaits it later still gets it.
    promise.catch(() => {});
    const pause = new AbortController();
    this.#standing = { epoch, pause, resolve, reject };
    if (this.#failure) reject(this.#failure.error);
    return { paused: pause.signal, rollback: promise };
  }

  close(): void {
    this.#ended.abort();
  }

  async #follow(messages: AsyncIterable<SteerBody>): Promise<void> {
    for await (const steer of messages) {
      const standing = this.#standing;
      if (standing?.epoch !== steer.epoch) continue;
      if (steer.op === 'pause') standing.pause.abort();
      else if (steer.op === 'rollback') standing.resolve(steer);
    }
  }
}

/** The step that a rollback goes back to: `args.steps` before the one that it was decided at, one by default. */
export function stepBefore({ step, args }: Pick<SteerBody, 'step' | 'args'>): number {
  const { steps = 1 } = args;
  if (typeof steps !== 'number' || !Number.isInteger(steps) || steps < 1 || steps > step) {
    throw new RangeError(`expected to be rolled back 1 to ${step} steps, got ${JSON.stringify(steps)}`);
  }
  return step - steps;
}
