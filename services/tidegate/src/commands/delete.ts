import type { StepSelection } from '@tidegate/protocol';
import type { Command } from 'commander';
import { box, name, stepSelection } from '../arguments.js';
import { addCommonOptions, addExamples } from '../common-options.js';
import { formatBytes } from '../format/bytes.js';
import { count } from '../format/count.js';
import { addOption } from '../option.js';
import { ANSWER_MS, type CommonOptions, withClient } from '../session.js';
import { UsageError } from '../usage-error.js';

interface DeleteOptions extends CommonOptions {
  readonly steps?: StepSelection;
  readonly box?: string;
  readonly run: string;
  readonly all?: true;
}

/** `tidegate delete` */
export function addDelete(program: Command): void {
  const command = program
    .command('delete')
    .summary('delete steps, or a variable')
    .description(
      'Deletes steps of a variable, with --box only the partitions inside it; with --all the variable itself.',
    )
    .argument('<variable>', 'a declared variable', name);
  addOption(command, '--steps <n|n,…|lo:hi>', 'steps to delete', { parse: stepSelection });
  addOption(command, '--box <lo:hi,…>', 'only partitions inside this box', { parse: box });
  addOption(command, '--run <name>', 'name of the run', { parse: name, default: 'default' });
  addOption(command, '--all', 'delete the declaration and everything put to it, in all runs', { environment: false });
  addCommonOptions(command);
  addExamples(command, ['tidegate delete T --steps 0:100', 'tidegate delete T --all']);
  command.action(remove);
}

async function remove(variable: string, { steps, box, run, all, ...options }: DeleteOptions): Promise<void> {
  if ((steps === undefined) === (all === undefined)) {
    throw new UsageError('steps', `expected either --steps or --all, got ${all ? 'both' : 'neither'}`);
  }
  await withClient(options, async ({ client, terminal }) => {
    if (steps === undefined) {
      await client.deleteVariable(variable, { timeoutMs: ANSWER_MS });
      terminal.value({ variable, deleted: true }, () => [`deleted variable ${variable}`]);
      return;
    }
    const region = { variable, steps, run, ...(box !== undefined && { box }) };
    const reply = await client.delete({ ...region, timeoutMs: ANSWER_MS });
    terminal.value(reply, ({ partitions, bytes }) => [
      `deleted ${count(partitions, 'partition')}, ${formatBytes(bytes)}`,
    ]);
  });
}
