import type { StepSelection } from '@tidegate/protocol';
import type { Command } from 'commander';
import { name, stepSelection } from '../arguments.js';
import { addCommonOptions, addExamples } from '../common-options.js';
import { addOption } from '../option.js';
import { ANSWER_MS, type CommonOptions, withClient } from '../session.js';

interface PinOptions extends CommonOptions {
  readonly steps: StepSelection;
  readonly run: string;
  readonly reason?: string;
}

/** `tidegate pin` and `tidegate unpin` */
export function addPin(program: Command): void {
  const pin = program
    .command('pin')
    .summary('keep steps in memory')
    .description('Keeps steps in memory, whatever the window and the pressure, until they are unpinned.');
  addPinOptions(pin);
  addExamples(pin, ['tidegate pin T --steps 40', 'tidegate pin T --steps 40:50 --reason "shock front"']);
  pin.action((variable: string, options: PinOptions) => change('pin', variable, options));

  const unpin = program
    .command('unpin')
    .summary('let pinned steps go')
    .description('Lets steps that were pinned leave memory again.');
  addPinOptions(unpin);
  addExamples(unpin, ['tidegate unpin T --steps 40', 'tidegate unpin T --steps 40:50 --run second']);
  unpin.action((variable: string, options: PinOptions) => change('unpin', variable, options));
}

function addPinOptions(command: Command): void {
  command.argument('<variable>', 'a declared variable', name);
  addOption(command, '--steps <n|n,…|lo:hi>', 'steps', { parse: stepSelection, required: true });
  addOption(command, '--run <name>', 'name of the run', { parse: name, default: 'default' });
  addOption(command, '--reason <text>', 'why, for those who look later');
  addCommonOptions(command);
}

async function change(
  how: 'pin' | 'unpin',
  variable: string,
  { steps, run, reason, ...options }: PinOptions,
): Promise<void> {
  await withClient(options, async ({ client, terminal }) => {
    await client[how]({ variable, steps, run, timeoutMs: ANSWER_MS, ...(reason !== undefined && { reason }) });
    const shown = Array.isArray(steps) ? steps.join(',') : steps;
    terminal.value({ variable, run, steps, pinned: how === 'pin' }, () => [`${how}ned ${variable} steps ${shown}`]);
  });
}
