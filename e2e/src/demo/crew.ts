import { type ChildProcess, fork, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { GuardJob } from './guard.js';
import type { Job } from './job-process.js';

/** A process ended that should not have, or with an error. */
export class ProcessFailure extends Error {
  override readonly name = 'ProcessFailure';
  /** What it wrote to standard error, the last part of it. */
  readonly errorOutput: string;

  constructor(title: string, how: string, errorOutput: string) {
    super(`${title} ${how}`);
    this.errorOutput = errorOutput.trim();
  }
}

/** The service that a crew started. */
export interface Service {
  readonly url: string;
  readonly pid: number;
}

interface Member {
  readonly title: string;
  /** The service and the worker stop in their own time; a job is cut off. */
  readonly role: 'service' | 'worker' | 'job';
  readonly child: ChildProcess;
  readonly ended: Promise<void>;
  errorOutput: string;
}

const MAX_ERROR_OUTPUT = 16_384;
const READY_MS = 60_000;
/** A service that takes longer to stop is killed. */
const STOP_MS = 15_000;
const STOP_ORDER: readonly (readonly [Member['role'], NodeJS.Signals])[] = [
  ['job', 'SIGKILL'],
  ['worker', 'SIGTERM'],
  ['service', 'SIGTERM'],
];
const TIDEGATE = fileURLToPath(new URL('../../../services/tidegate/bin/tidegate.js', import.meta.url));

/**
 * The processes of one run. Each leads a process group of its own, so that Ctrl-C reaches this process alone, which then
 * stops the others in order, and so that whatever they start goes with them.
 */
export class Crew {
  readonly #members = new Set<Member>();
  #stopping = false;
  #fail: (failure: ProcessFailure) => void = () => {};
  /** Rejects when the service ends by itself. */
  readonly failure: Promise<never>;

  constructor() {
    this.failure = new Promise<never>((_, reject) => {
      this.#fail = reject;
    });
    // Whoever awaits it later still gets it.
    this.failure.catch(() => {});
    process.once('exit', () => this.kill());
  }

  /**
   * Starts `tidegate up` and waits until it answers. Should this process be killed, a guard stops it and removes its
   * folders.
   *
   * @throws ProcessFailure where it ends first or does not get ready
   */
  async startService(args: readonly string[], folders: readonly string[]): Promise<Service> {
    const child = spawn(process.execPath, [TIDEGATE, 'up', '--json', ...args], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const member = this.#add('the service', 'service', child);
    if (child.pid !== undefined) this.#guard({ pid: child.pid, folders });
    const url = await new Promise<string>((resolve, reject) => {
      const failed = (how: string) => {
        clearTimeout(timer);
        reject(new ProcessFailure(member.title, how, member.errorOutput));
      };
      const timer = setTimeout(() => failed(`was not ready within ${READY_MS / 1000} s`), READY_MS);
      void member.ended.then(() => failed(`ended before it was ready (${howEnded(child)})`));
      createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
        const ready = readyUrl(line);
        if (ready === undefined) return;
        clearTimeout(timer);
        resolve(ready);
      });
    });
    this.#mustLast(member);
    return { url, pid: child.pid ?? 0 };
  }

  /**
   * Starts `tidegate worker`, which runs a command for each task.
   *
   * @param onLine gets what it tells, JSON
   */
  startWorker(args: readonly string[], onLine: (line: string) => void): void {
    const child = spawn(process.execPath, [TIDEGATE, 'worker', '--json', '--grace', '0', ...args], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const member = this.#add('the worker', 'worker', child);
    if (child.pid !== undefined) this.#guard({ pid: child.pid, folders: [] });
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', onLine);
    this.#mustLast(member);
  }

  /**
   * Runs a process of the demo to its end.
   *
   * @param entry its file beside this one, without extension
   * @param onReport gets what it tells
   * @param stop tells it to end as soon as it can when it aborts
   * @throws ProcessFailure where it ends with an error
   */
  async run<J extends Job, R>(
    title: string,
    { entry, job, onReport, stop }: { entry: string; job: J; onReport: (report: R) => void; stop?: AbortSignal },
  ): Promise<void> {
    const child = this.#fork(entry, job);
    const member = this.#add(title, 'job', child);
    child.on('message', (report) => onReport(report as R));
    const onStop = (): void => {
      // One that has ended in the meantime needs no word.
      if (child.connected) child.send('stop', () => {});
    };
    if (stop?.aborted) onStop();
    stop?.addEventListener('abort', onStop, { once: true });
    await member.ended;
    stop?.removeEventListener('abort', onStop);
    if (child.exitCode !== 0) {
      throw new ProcessFailure(title, `ended early: ${howEnded(child)}`, member.errorOutput);
    }
  }

  /** Stops what still runs, the service last, and returns when nothing is left. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const timer = setTimeout(() => this.kill(), STOP_MS);
    // The worker gives its tasks back while there is a service to give them to.
    for (const [role, signal] of STOP_ORDER) {
      const members = [...this.#members].filter((member) => member.role === role);
      for (const { child } of members) child.kill(signal);
      await Promise.all(members.map(({ ended }) => ended));
    }
    clearTimeout(timer);
  }

  /** Kills what still runs, with all that it started. */
  kill(): void {
    for (const { child } of this.#members) {
      if (child.pid === undefined) continue;
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It has ended in the meantime.
      }
    }
  }

  /** Makes the whole fail when a process ends by itself. */
  #mustLast(member: Member): void {
    const { title, child, ended } = member;
    void ended.then(() => {
      if (!this.#stopping) this.#fail(new ProcessFailure(title, `ended: ${howEnded(child)}`, member.errorOutput));
    });
  }

  #guard(job: GuardJob): void {
    this.#add('the guard', 'job', this.#fork('guard', job));
  }

  #fork(entry: string, job: object): ChildProcess {
    const file = fileURLToPath(new URL(`./${entry}.js`, import.meta.url));
    return fork(file, [JSON.stringify(job)], { detached: true, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  }

  #add(title: string, role: Member['role'], child: ChildProcess): Member {
    const ended = new Promise<void>((resolve) => {
      child.once('error', (error) => {
        member.errorOutput += error.message;
        resolve();
      });
      child.once('close', () => resolve());
    });
    const member: Member = { title, role, child, ended, errorOutput: '' };
    this.#members.add(member);
    void ended.then(() => this.#members.delete(member));
    child.stderr?.on('data', (chunk: Buffer) => {
      member.errorOutput = (member.errorOutput + chunk.toString()).slice(-MAX_ERROR_OUTPUT);
    });
    return member;
  }
}

function readyUrl(line: string): string | undefined {
  try {
    const { ready } = JSON.parse(line) as { ready?: unknown };
    return typeof ready === 'string' ? ready : undefined;
  } catch {
    return undefined;
  }
}

function howEnded({ exitCode, signalCode }: ChildProcess): string {
  return signalCode ?? (exitCode === null ? 'it did not start' : `exit code ${exitCode}`);
}
