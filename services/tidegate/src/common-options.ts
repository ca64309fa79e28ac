import type { Command } from 'commander';
import { natsUrl } from './arguments.js';
import { DEFAULT_NATS } from './nats-address.js';
import { addOption } from './option.js';

/** Adds what every command takes: `--json`, and `--nats` for those that talk to a cluster. */
export function addCommonOptions(command: Command, { nats = true }: { readonly nats?: boolean } = {}): Command {
  if (nats) addOption(command, '--nats <url>', 'NATS server of the cluster', { parse: natsUrl, default: DEFAULT_NATS });
  return addOption(command, '--json', 'print JSON, one value a line');
}

/** Adds two examples behind the help of a command. */
export function addExamples(command: Command, examples: readonly [string, string]): Command {
  return command.addHelpText('after', `\nExamples:\n${examples.map((example) => `  $ ${example}`).join('\n')}`);
}
