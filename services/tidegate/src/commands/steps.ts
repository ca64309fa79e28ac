import type { StepReply } from '@tidegate/protocol';
import type { Command } from 'commander';
import { integer, name, step } from '../arguments.js';
import { addCommonOptions, addExamples } from '../common-options.js';
import { formatBytes } from '../format/bytes.js';
import type { Column } from '../format/table.js';
import { untilInterrupted } from '../interrupt.js';
import { addOption } from '../option.js';
import { ANSWER_MS, type CommonOptions, type Session, withClient } from '../session.js';

interface StepsOptions extends CommonOptions {
  readonly run: string;
  readonly after?: number;
  readonly wait?: number;
  readonly follow?: true;
}

const COLUMNS: readonly Column<StepReply>[] = [
  { title: 'STEP', value: ({ step }) => step, align: 'right' },
  { title: 'COVERED', value: ({ covered }) => covered },
  { title: 'PARTITIONS', value: ({ partitions }) => partitions, align: 'right' },
  { title: 'BYTES', value: ({ bytes }) => formatBytes(bytes), align: 'right' },
  { title: 'TIER', value: ({ tier }) => tier },
  { title: 'PINNED', value: ({ pinned }) => pinned },
];

/** `tidegate steps` */
export function addSteps(program: Command): void {
  const command = program
    .command('steps')
    .summary('list the staged steps')
    .description('Lists the steps of a variable that are staged, or with --follow each step as it becomes covered.')
    .argument('<variable>', 'a declared variable', name);
  addOption(command, '--run <name>', 'name of the run', { parse: name, default: 'default' });
  addOption(command, '--after <n>', 'only steps above this one', { parse: step, defaultText: 'all' });
  addOption(command, '--wait <ms>', 'how long to wait for a covered step; with --follow, for each next one', {
    parse: integer(0),
    defaultText: '0; with --follow for ever',
  });
  addOption(command, '--follow', 'go on with every step that becomes covered, until interrupted');
  addCommonOptions(command);
  addExamples(command, ['tidegate steps T', 'tidegate steps T --follow --after 41 --json']);
  command.action((variable: string, options: StepsOptions) =>
    withClient(options, (session) =>
      options.follow ? follow(session, variable, options) : list(session, variable, options),
    ),
  );
}

async function list(
  { client, terminal }: Session,
  variable: string,
  { run, after, wait = 0 }: StepsOptions,
): Promise<void> {
  const steps = await client.listSteps({
    variable,
    run,
    waitMs: wait,
    timeoutMs: ANSWER_MS,
    ...(after !== undefined && { after }),
  });
  terminal.rows(steps, COLUMNS, `no step of "${variable}" is staged`);
}

async function follow(
  { client, terminal }: Session,
  variable: string,
  { run, after, wait }: StepsOptions,
): Promise<void> {
  const { signal, dispose } = untilInterrupted();
  try {
    const steps = client.steps({
      variable,
      run,
      signal,
      ...(after !== undefined && { after }),
      ...(wait !== undefined && { waitMs: wait }),
    });
    for await (const step of steps) terminal.value({ step }, () => [`step ${step} is covered`]);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    dispose();
  }
}
