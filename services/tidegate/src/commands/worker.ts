import type { TaskOutcome } from '@tidegate/client';
import { NotFoundError } from '@tidegate/protocol';
import type { Command } from 'commander';
import { integer, name } from '../arguments.js';
import { addCommonOptions, addExamples } from '../common-options.js';
import { untilInterrupted } from '../interrupt.js';
import { addOption } from '../option.js';
import { startProcessGuard } from '../process-guard.js';
import { type CommonOptions, withClient } from '../session.js';
import type { Terminal } from '../terminal.js';
import { CommandError, runCommand } from '../worker-process.js';

interface WorkerOptions extends CommonOptions {
  readonly task: string;
  readonly concurrency: number;
  readonly timeout: number;
  readonly grace: number;
}

const MOST_AT_A_TIME = 256;
const TIMEOUT_MS = 3_600_000;
const LONGEST_TIMEOUT_MS = 86_400_000;
const GRACE_MS = 10_000;

/** `tidegate worker` */
export function addWorker(program: Command): void {
  const command = program
    .command('worker')
    .argument('<command...>', 'what is run for each task, behind --')
    .usage('[options] -- <command> [args…]')
    .summary('run a command for each task')
    .description(
      'Takes the tasks of a kind that triggers ask for and runs a command for each: the task as JSON on standard input, ' +
        'exit code 0 acknowledges it, anything else lets it come again after a pause, at most five times in all. A task ' +
        'may come twice: TIDEGATE_TASK_KEY is the same each time, TIDEGATE_TASK_ATTEMPT counts.',
    );
  addOption(command, '--task <name>', 'kind of tasks to take', { parse: name, required: true });
  addOption(command, '--concurrency <n>', 'how many at a time', { parse: integer(1, MOST_AT_A_TIME), default: 1 });
  addOption(command, '--timeout <ms>', 'how long one may take before its processes are ended', {
    parse: integer(1, LONGEST_TIMEOUT_MS),
    default: TIMEOUT_MS,
  });
  addOption(command, '--grace <ms>', 'when told to stop: how long those under way may still take', {
    parse: integer(0, LONGEST_TIMEOUT_MS),
    default: GRACE_MS,
  });
  addCommonOptions(command);
  addExamples(command, [
    'tidegate worker --task render -- python3 render.py --size 800',
    'tidegate worker --task archive --concurrency 4 --timeout 600000 -- ./archive.sh',
  ]);
  command.action((words: readonly string[], options: WorkerOptions) => run(words, options));
}

async function run([command = '', ...args]: readonly string[], options: WorkerOptions): Promise<void> {
  const { task, concurrency, timeout, grace, nats } = options;
  const { signal, dispose } = untilInterrupted();
  const failed = new AbortController();
  const guard = startProcessGuard();
  try {
    await withClient(options, async ({ client, terminal }) => {
      const output = terminal.json ? 'stderr' : 'stdout';
      const onStop = (): void => terminal.note('stopping once what is under way has ended; once more to end at once');
      signal.addEventListener('abort', onStop, { once: true });
      terminal.note(`taking tasks "${task}", ${concurrency} at a time`);
      await client.work(
        task,
        async (body, ending) => {
          try {
            await runCommand({ task, command, args, nats, output, guard }, body, ending);
          } catch (error) {
            if (error instanceof CommandError) failed.abort(error);
            throw error;
          }
        },
        {
          concurrency,
          timeoutMs: timeout,
          graceMs: grace,
          signal: AbortSignal.any([signal, failed.signal]),
          onOutcome: (outcome) => tell(terminal, outcome),
        },
      );
    });
    if (failed.signal.aborted) throw unstartable(failed.signal.reason);
  } finally {
    guard.stop();
    dispose();
  }
}

function unstartable(reason: unknown): Error {
  return new NotFoundError(reason instanceof Error ? reason.message : String(reason));
}

/** A finished delivery: a JSON line on standard output, or a note. */
function tell(terminal: Terminal, { task, elapsedMs, error }: TaskOutcome): void {
  const { idempotencyKey, attempt, run, step } = task;
  const elapsed = Math.round(elapsedMs);
  const why = error === undefined ? undefined : error instanceof Error ? error.message : String(error);
  if (terminal.json) {
    const record = { key: idempotencyKey, attempt, run, step, elapsedMs: elapsed, done: why === undefined };
    terminal.value({ ...record, ...(why !== undefined && { error: why }) }, () => []);
    return;
  }
  const what = `${idempotencyKey}, attempt ${attempt}, ${elapsed} ms`;
  terminal.note(why === undefined ? `done: ${what}` : `failed: ${what}: ${why}`);
}
