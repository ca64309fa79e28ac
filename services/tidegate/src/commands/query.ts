import type { PieceReply } from '@tidegate/protocol';
import type { Command } from 'commander';
import { box, integer, name, step } from '../arguments.js';
import { addCommonOptions, addExamples } from '../common-options.js';
import { formatBytes } from '../format/bytes.js';
import { count } from '../format/count.js';
import type { Column } from '../format/table.js';
import { addOption } from '../option.js';
import { ANSWER_MS, type CommonOptions, withClient } from '../session.js';

interface QueryOptions extends CommonOptions {
  readonly step: number;
  readonly box?: string;
  readonly run: string;
  readonly wait: number;
}

const COLUMNS: readonly Column<PieceReply>[] = [
  { title: 'BOX', value: ({ box }) => box },
  { title: 'BYTES', value: ({ bytes }) => formatBytes(bytes), align: 'right' },
  { title: 'TIER', value: ({ tier }) => tier },
  { title: 'RAW-SERVICE', value: ({ rawService }) => rawService },
  { title: 'PARTITION', value: ({ id }) => id },
];

/** `tidegate query` */
export function addQuery(program: Command): void {
  const command = program
    .command('query')
    .summary('tell where a region is')
    .description(
      'Tells whether a region of a step is covered, from which pieces a get would read it, and what is missing.',
    )
    .argument('<variable>', 'a declared variable', name);
  addOption(command, '--step <n>', 'step', { parse: step, required: true });
  addOption(command, '--box <lo:hi,…>', 'region', { parse: box, defaultText: 'the whole domain' });
  addOption(command, '--run <name>', 'name of the run', { parse: name, default: 'default' });
  addOption(command, '--wait <ms>', 'how long to wait until the region is covered', { parse: integer(0), default: 0 });
  addCommonOptions(command);
  addExamples(command, ['tidegate query T --step 7', 'tidegate query T --step 7 --box 0:64,0:64 --json | jq .missing']);
  command.action((variable: string, { step, box, run, wait, ...options }: QueryOptions) =>
    withClient(options, async ({ client, terminal }) => {
      const region = { variable, step, run, ...(box !== undefined && { box }) };
      const reply = await client.query({ ...region, waitMs: wait, timeoutMs: ANSWER_MS });
      terminal.value(reply, ({ covered, pieces, missing, missingCount }) => [
        covered
          ? `covered by ${count(pieces.length, 'piece')}`
          : `not covered: missing ${count(missingCount, 'box', 'boxes')}`,
        ...(pieces.length > 0 ? terminal.table(pieces, COLUMNS) : []),
        ...missing.map((hole) => `missing ${hole}`),
        ...(missingCount > missing.length ? [`… and ${missingCount - missing.length} more`] : []),
      ]);
    }),
  );
}
