import type { DecisionReply } from '@tidegate/client';

/** What became of a trigger so far. */
export interface TriggerTally {
  readonly name: string;
  readonly decided: number;
  readonly fired: number;
  /** Step at which it fired first; undefined where it did not. */
  readonly firstFired: number | undefined;
}

/** Follows the decisions of some triggers of one run, from the first one on. */
export class DecisionWatch {
  readonly #decisions = new Map<string, DecisionReply[]>();
  readonly #ended = new AbortController();
  /** Woken by every decision, and by a failure. */
  readonly #waiting = new Set<() => void>();
  #failure: { readonly error: unknown } | undefined;

  /**
   * @param names full names
   * @param follow opens the decisions of one trigger, as `tide.triggers.followDecisions` does
   */
  constructor(names: readonly string[], follow: (name: string, signal: AbortSignal) => AsyncIterable<DecisionReply>) {
    for (const name of names) {
      this.#decisions.set(name, []);
      this.#follow(name, follow(name, this.#ended.signal)).catch((error: unknown) => {
        if (this.#ended.signal.aborted) return;
        this.#failure = { error };
        this.#wake();
      });
    }
  }

  /** The decisions of one trigger, in the order in which they were committed. */
  decisions(name: string): readonly DecisionReply[] {
    return this.#decisions.get(name) ?? [];
  }

  tallies(): readonly TriggerTally[] {
    return [...this.#decisions].map(([name, decisions]) => {
      const fired = decisions.filter(({ verdict }) => verdict === 'fired');
      const steps = fired.map(({ step }) => step);
      return {
        name,
        decided: decisions.length,
        fired: fired.length,
        firstFired: steps.length === 0 ? undefined : Math.min(...steps),
      };
    });
  }

  /**
   * Waits until a trigger has decided a step.
   *
   * @throws Error after `timeoutMs`, and where following the decisions failed
   */
  decided(
    name: string,
    { step, epoch, timeoutMs }: { readonly step: number; readonly epoch: number; readonly timeoutMs: number },
  ): Promise<DecisionReply> {
    return new Promise((resolve, reject) => {
      const settle = (end: () => void): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        end();
      };
      const look = (): void => {
        const found = this.decisions(name).find((decision) => decision.step === step && decision.epoch === epoch);
        const failure = this.#failure;
        if (found) settle(() => resolve(found));
        else if (failure) settle(() => reject(failure.error));
      };
      const late = () => reject(new Error(`${name} did not decide step ${step} within ${timeoutMs / 1000} s`));
      const timer = setTimeout(() => settle(late), timeoutMs);
      this.#waiting.add(look);
      look();
    });
  }

  close(): void {
    this.#ended.abort();
  }

  async #follow(name: string, decisions: AsyncIterable<DecisionReply>): Promise<void> {
    for await (const decision of decisions) {
      this.#decisions.get(name)?.push(decision);
      this.#wake();
    }
  }

  #wake(): void {
    for (const look of [...this.#waiting]) look();
  }
}
