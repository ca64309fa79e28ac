import { type Logger, settledWithin } from '@tidegate/bus';

/** What is taken down, in this order; within a stage everything at a time. */
const STAGES = ['engine', 'raw', 'meta', 'connections', 'server', 'folders', 'lock'] as const;
export type Stage = (typeof STAGES)[number];

/** Milliseconds for each stage: less than ten seconds together. */
const LIMIT_MS: Readonly<Record<Stage, number>> = {
  // Decisions that are under way finish here, which takes all the others.
  engine: 1500,
  // Puts that are under way finish here, which takes the meta-services.
  raw: 3000,
  meta: 1000,
  connections: 500,
  server: 2500,
  folders: 500,
  lock: 500,
};

interface Step {
  readonly stop: () => Promise<void> | void;
  readonly force: (() => void) | undefined;
}

/** Collects how what was started is stopped again, and does it once, in order and in bounded time. */
export class Teardown {
  readonly #logger: Logger;
  readonly #steps = new Map<Stage, Step[]>();
  #running: Promise<void> | undefined;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** @param force what is done where `stop` takes too long */
  add(stage: Stage, stop: () => Promise<void> | void, force?: () => void): void {
    const steps = this.#steps.get(stage) ?? [];
    this.#steps.set(stage, [...steps, { stop, force }]);
  }

  /** Stops everything. It does not fail: what went wrong is logged. */
  run(): Promise<void> {
    this.#running ??= this.#run();
    return this.#running;
  }

  async #run(): Promise<void> {
    for (const stage of STAGES) {
      const steps = this.#steps.get(stage) ?? [];
      await Promise.all(steps.map((step) => this.#stop(stage, step)));
    }
  }

  async #stop(stage: Stage, { stop, force }: Step): Promise<void> {
    const stopping = (async () => stop())().catch((error: unknown) => {
      this.#logger.error({ err: error, stage }, 'could not stop a part cleanly');
    });
    if (await settledWithin(stopping, LIMIT_MS[stage])) return;
    this.#logger.warn({ stage, limitMs: LIMIT_MS[stage] }, 'a part took too long to stop: going on without it');
    force?.();
  }
}
