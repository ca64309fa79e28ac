import { DTYPES, type DType } from '@tidegate/array';
import type { VariableRecord } from '@tidegate/protocol';
import type { Command } from 'commander';
import { integer, integers, name } from '../arguments.js';
import { addCommonOptions, addExamples } from '../common-options.js';
import { addOption } from '../option.js';
import { ANSWER_MS, type CommonOptions, withClient } from '../session.js';
import { UsageError } from '../usage-error.js';

interface DeclareOptions extends CommonOptions {
  readonly dtype?: DType;
  readonly shape?: number[];
  readonly window?: number;
  readonly onEvict?: 'spill' | 'drop';
  readonly durability?: 'memory' | 'durable';
  readonly layout?: number[];
  readonly annotation?: 'optional' | 'required';
}

/** `tidegate declare` */
export function addDeclare(program: Command): void {
  const command = program
    .command('declare')
    .summary('declare a variable, or show one')
    .description(
      'Declares a variable: a named array over a global domain, of which regions are put step after step. Declaring the ' +
        'same again changes nothing. Without --dtype and --shape it shows the standing declaration.',
    )
    .argument('<variable>', 'its name', name);
  addOption(command, '--dtype <type>', 'element type; "bytes" for opaque objects', { choices: DTYPES });
  addOption(command, '--shape <n,…>', 'extents of the domain, first dimension slowest', { parse: integers });
  addOption(command, '--window <n>', 'steps kept in memory', { parse: integer(1), defaultText: '10' });
  addOption(command, '--on-evict <what>', 'what happens to older steps', {
    choices: ['spill', 'drop'],
    defaultText: 'spill',
  });
  addOption(command, '--durability <kind>', 'where a put is before it is acknowledged', {
    choices: ['memory', 'durable'],
    defaultText: 'memory',
  });
  addOption(command, '--layout <n,…>', 'block grid dealt to the shards, in place of the curve', { parse: integers });
  addOption(command, '--annotation <kind>', 'whether a put must have an annotation', {
    choices: ['optional', 'required'],
    defaultText: 'optional',
  });
  addCommonOptions(command);
  addExamples(command, [
    'tidegate declare T --dtype float64 --shape 512,512 --window 20',
    'tidegate declare mesh --dtype bytes --shape 8,8 --on-evict drop',
  ]);
  command.action(declare);
}

async function declare(variable: string, { nats, json, dtype, shape, ...rest }: DeclareOptions): Promise<void> {
  await withClient({ nats, ...(json && { json }) }, async ({ client, terminal }) => {
    const timeoutMs = ANSWER_MS;
    let record: VariableRecord;
    if (dtype !== undefined && shape !== undefined) {
      record = await client.declare({ name: variable, dtype, shape, ...rest }, { timeoutMs });
    } else if (dtype === undefined && shape === undefined && Object.keys(rest).length === 0) {
      record = await client.variable(variable, { timeoutMs });
    } else {
      const lacking = dtype === undefined ? 'dtype' : 'shape';
      throw new UsageError(lacking, `expected --dtype and --shape together, got no --${lacking}`);
    }
    terminal.value(record, (shown) => terminal.fields(variableFields(shown)));
  });
}

/** A variable's record as people read it. */
export function variableFields(record: VariableRecord): Record<string, string | number | undefined> {
  const { shape, layout, onEvict, createdAt, ...rest } = record;
  return { ...rest, shape: `(${shape.join(', ')})`, onEvict, layout: layout?.join(','), createdAt };
}
