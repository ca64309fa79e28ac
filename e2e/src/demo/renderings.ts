import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Crew } from './crew.js';
import { RENDER_TASK } from './definitions.js';

/** Pictures made by `tidegate worker`, as it tells of them. */
export interface Renderings {
  /** Steps of a run of which there is a picture, rising. */
  steps(run: string): readonly number[];
  /**
   * Waits until the tasks of a run are done.
   *
   * @throws Error after `timeoutMs`, with what went wrong last
   */
  done(run: string, tasks: number, timeoutMs: number): Promise<void>;
}

/** A line of the worker. */
interface Outcome {
  readonly key: string;
  readonly run: string;
  readonly step: number;
  readonly done: boolean;
  readonly error?: string;
}

const RENDER = fileURLToPath(new URL('./render.js', import.meta.url));
const ASK_MS = 20;

/** Starts a worker whose command draws pictures into a folder. */
export function startRenderer(crew: Crew, { url, folder }: { url: string; folder: string }): Renderings {
  const done = new Map<string, Outcome>();
  let failure = '';
  crew.startWorker([...['--task', RENDER_TASK, '--nats', url], ...['--', process.execPath, RENDER, folder]], (line) => {
    const outcome = JSON.parse(line) as Outcome;
    if (outcome.done) done.set(outcome.key, outcome);
    else failure = `step ${outcome.step} of ${outcome.run}: ${outcome.error}`;
  });
  const of = (run: string): Outcome[] => [...done.values()].filter((outcome) => outcome.run === run);
  return {
    steps: (run) => [...new Set(of(run).map(({ step }) => step))].sort((a, b) => a - b),
    async done(run, tasks, timeoutMs) {
      for (const deadline = performance.now() + timeoutMs; of(run).length < tasks; await sleep(ASK_MS)) {
        if (performance.now() < deadline) continue;
        const why = failure === '' ? '' : `; ${failure}`;
        throw new Error(
          `expected ${tasks} pictures of ${run}, got ${of(run).length} within ${timeoutMs / 1000} s${why}`,
        );
      }
    },
  };
}
