import { type ChildProcess, spawn } from 'node:child_process';
import { settledWithin } from '@tidegate/bus';
import type { TaskBody } from '@tidegate/client';
import type { ProcessGuard } from './process-guard.js';

/** What is run for each task. */
export interface WorkerCommand {
  readonly task: string;
  readonly command: string;
  readonly args: readonly string[];
  /** URL of the cluster's NATS server, for commands that use it. */
  readonly nats: string;
  /** Where the command's standard output goes: this process's own, or its standard error. */
  readonly output: 'stdout' | 'stderr';
  /** Ends the command where this process is killed. */
  readonly guard: ProcessGuard;
}

/** The command cannot be started: no attempt will do better. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

const STOP_MS = 2000;

/**
 * Runs the command for one task: the task as JSON on its standard input, and in its environment what scripts need most.
 * When the signal aborts, the command and whatever it started (its process group) are told to end, and killed two seconds
 * later.
 *
 * @throws Error with the exit code where that is not 0; CommandError; the signal's reason
 */
export async function runCommand(
  { task, command, args, nats, output, guard }: WorkerCommand,
  body: TaskBody,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const child = spawn(command, args, {
    // A group of its own: a Ctrl-C on the terminal does not reach it, and all of it can be ended.
    detached: true,
    env: { ...process.env, TIDEGATE_NATS: nats, ...taskEnvironment(task, body) },
    stdio: ['pipe', output === 'stdout' ? 'inherit' : process.stderr, 'inherit'],
  });
  const group = child.pid;
  if (group !== undefined) guard.add(group);
  const ended = endOf(child, command);
  // A command need not read its input.
  child.stdin?.on('error', () => {});
  child.stdin?.end(`${JSON.stringify(body)}\n`);
  const onAbort = (): void => endGroup(group, ended);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const how = await ended;
    signal.throwIfAborted();
    if (how !== '') throw new Error(`${command} ended with ${how}`);
  } finally {
    signal.removeEventListener('abort', onAbort);
    if (group !== undefined) guard.remove(group);
  }
}

/** What a command finds in its environment, beside what this process has. */
export function taskEnvironment(task: string, body: TaskBody): Readonly<Record<string, string>> {
  const { attempt, idempotencyKey, run, epoch, step, trigger, variable, box } = body;
  return {
    TIDEGATE_TASK_NAME: task,
    TIDEGATE_TASK_ATTEMPT: String(attempt),
    TIDEGATE_TASK_KEY: idempotencyKey,
    TIDEGATE_TASK_TRIGGER: trigger,
    TIDEGATE_TASK_VARIABLE: variable,
    TIDEGATE_TASK_BOX: box,
    TIDEGATE_TASK_RUN: run,
    TIDEGATE_TASK_EPOCH: String(epoch),
    TIDEGATE_TASK_STEP: String(step),
  };
}

/** Settles with how the process ended, in words; empty for exit code 0. */
function endOf(child: ChildProcess, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      if (child.pid === undefined)
        reject(new CommandError(`cannot start ${command}: ${error.message}`, { cause: error }));
    });
    child.once('exit', (code, signal) => resolve(signal ?? (code === 0 ? '' : `exit code ${code}`)));
  });
}

function endGroup(group: number | undefined, ended: Promise<string>): void {
  killGroup(group, 'SIGTERM');
  settledWithin(ended, STOP_MS)
    // Also where the command itself has ended: what it started may still be there.
    .then(() => killGroup(group, 'SIGKILL'))
    .catch(() => {});
}

function killGroup(group: number | undefined, signal: NodeJS.Signals): void {
  try {
    if (group !== undefined) process.kill(-group, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
