import type { Command } from 'commander';
import { name, names, step } from '../arguments.js';
import { addCommonOptions, addExamples } from '../common-options.js';
import { addOption } from '../option.js';
import { ANSWER_MS, type CommonOptions, withClient } from '../session.js';

interface RollbackOptions extends CommonOptions {
  readonly toStep: number;
  readonly variables?: readonly string[];
  readonly reason?: string;
}

/** `tidegate rollback` */
export function addRollback(program: Command): void {
  const command = program
    .command('rollback')
    .summary('supersede the steps above one')
    .description(
      'Rolls a run back: every step above the given one is superseded and dropped, and the run begins a new epoch.',
    )
    .argument('<run>', 'a run', name);
  addOption(command, '--to-step <n>', 'newest step that stays', { parse: step, required: true, environment: false });
  addOption(command, '--variables <name,…>', 'only these variables', { parse: names, defaultText: 'all' });
  addOption(command, '--reason <text>', 'why, for those who look later');
  addCommonOptions(command);
  addExamples(command, [
    'tidegate rollback default --to-step 40',
    'tidegate rollback run7 --to-step 0 --variables T,p --reason "restart from checkpoint"',
  ]);
  command.action((run: string, { toStep, variables, reason, ...options }: RollbackOptions) =>
    withClient(options, async ({ client, terminal }) => {
      const { epoch } = await client.rollback({
        run,
        toStep,
        timeoutMs: ANSWER_MS,
        ...(variables && { variables }),
        ...(reason !== undefined && { reason }),
      });
      terminal.value({ run, toStep, epoch }, () => [`rolled ${run} back to step ${toStep}: epoch ${epoch}`]);
    }),
  );
}
