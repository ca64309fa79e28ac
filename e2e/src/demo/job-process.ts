import { connect, isTidegateError, type Tidegate } from '@tidegate/client';
import type { Simulation } from './simulation.js';

/** What a process is started with. */
export interface Job {
  /** The NATS server. */
  readonly url: string;
  readonly simulation: Simulation;
}

/** Longest wait for a step of the others. Whoever breaks down ends the whole run, so this bounds what nobody foresaw. */
export const WAIT_MS = 120_000;

/**
 * The frame of a process of the demo: connects, does the work of the job in its first argument, and ends. What went
 * wrong goes to standard error. It also ends when the process that started it is gone.
 *
 * @param work gets the connection, the job, a way to tell the parent how it is going, and a signal that aborts when it is
 *   to stop: what then fails was given up and is no error
 */
export async function runJob<J extends Job, R extends object>(
  work: (tide: Tidegate, job: J, report: (what: R) => Promise<void>, stopped: AbortSignal) => Promise<void>,
): Promise<void> {
  const orphaned = () => process.exit(1);
  process.once('disconnect', orphaned);
  const stop = new AbortController();
  // The only message that there is.
  process.once('message', () => stop.abort());
  const job = JSON.parse(process.argv[2] ?? '') as J;
  try {
    const tide = await connect({ servers: job.url, name: 'tidegate-demo' });
    try {
      await work(tide, job, send, stop.signal);
    } finally {
      await tide.close();
    }
  } catch (error) {
    if (!stop.signal.aborted) {
      console.error(isTidegateError(error) ? `${error.code}: ${error.message}` : error);
      process.exitCode = 1;
    }
  }
  process.off('disconnect', orphaned);
  if (process.connected) process.disconnect();
}

/** Resolves once the report is on its way; a parent that is gone ends this process by itself. */
function send(report: object): Promise<void> {
  return new Promise((resolve) => {
    if (process.send) process.send(report, undefined, {}, () => resolve());
    else resolve();
  });
}
