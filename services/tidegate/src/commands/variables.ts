import type { VariableRecord } from '@tidegate/protocol';
import type { Command } from 'commander';
import { addCommonOptions, addExamples } from '../common-options.js';
import type { Column } from '../format/table.js';
import { ANSWER_MS, type CommonOptions, withClient } from '../session.js';

const COLUMNS: readonly Column<VariableRecord>[] = [
  { title: 'NAME', value: ({ name }) => name },
  { title: 'DTYPE', value: ({ dtype }) => dtype },
  { title: 'SHAPE', value: ({ shape }) => `(${shape.join(', ')})` },
  { title: 'WINDOW', value: ({ window }) => window, align: 'right' },
  { title: 'ON-EVICT', value: ({ onEvict }) => onEvict },
  { title: 'DURABILITY', value: ({ durability }) => durability },
  { title: 'CREATED', value: ({ createdAt }) => createdAt },
];

/** `tidegate variables` */
export function addVariables(program: Command): void {
  const command = program
    .command('variables')
    .summary('list the variables')
    .description('Lists the variables that are declared, by name. "tidegate declare NAME" shows one in full.');
  addCommonOptions(command);
  addExamples(command, ['tidegate variables', 'tidegate variables --json | jq -r .name']);
  command.action((options: CommonOptions) =>
    withClient(options, async ({ client, terminal }) => {
      terminal.rows(await client.variables({ timeoutMs: ANSWER_MS }), COLUMNS, 'no variable is declared');
    }),
  );
}
