import { asyncApiDocument } from '@tidegate/protocol';
import type { Command } from 'commander';
import { addCommonOptions, addExamples } from '../common-options.js';
import { terminalFor } from '../session.js';

/** `tidegate asyncapi` */
export function addAsyncApi(program: Command): void {
  const command = program
    .command('asyncapi')
    .summary('print the wire contract')
    .description(
      'Prints the AsyncAPI 3 document of the wire contract, generated from the constants that the services use.',
    );
  addCommonOptions(command, { nats: false });
  addExamples(command, ['tidegate asyncapi > tidegate.asyncapi.json', 'tidegate asyncapi --json | jq .channels']);
  command.action((options: { readonly json?: true }) => {
    terminalFor(options).value(asyncApiDocument(), (document) => [JSON.stringify(document, null, 2)]);
  });
}
