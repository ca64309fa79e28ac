import type { TriggerDefinitionInput } from '@tidegate/client';
import { BadRequestError, type DecisionReply, type StepSelection } from '@tidegate/protocol';
import type { Command } from 'commander';
import { name, stepSelection } from '../arguments.js';
import { addCommonOptions, addExamples } from '../common-options.js';
import { located, readDocument, type SourceDocument } from '../definition-file.js';
import { count } from '../format/count.js';
import { valuesText } from '../format/decision.js';
import type { Column } from '../format/table.js';
import { addOption } from '../option.js';
import { ANSWER_MS, type CommonOptions, withClient } from '../session.js';

/** `tidegate trigger register` */
export function addTriggerRegister(trigger: Command): void {
  const command = trigger
    .command('register')
    .argument('<file>', 'a definition in YAML or JSON; - for standard input')
    .summary('register a trigger')
    .description(
      'Registers a trigger. The same definition again changes nothing; a changed one becomes the next generation. Steps ' +
        'that are staged already are decided, too.',
    );
  addCommonOptions(command);
  addExamples(command, ['tidegate trigger register hot.yaml', 'tidegate trigger register - < hot.json']);
  command.action((file: string, options: CommonOptions) =>
    withClient(options, async ({ client, terminal }) => {
      const source = await readDocument(file);
      const registered = await checking(source, () =>
        client.triggers.register(definitionOf(source), { timeoutMs: ANSWER_MS }),
      );
      terminal.value(registered, ({ name, generation, primary, shards }) => [
        `registered trigger ${name}, generation ${generation}: shard ${primary} decides, ${count(shards.length, 'shard')} touched`,
      ]);
    }),
  );
}

interface TestOptions extends CommonOptions {
  readonly run: string;
  readonly steps: StepSelection;
}

const COLUMNS: readonly Column<DecisionReply>[] = [
  { title: 'STEP', value: ({ step }) => step, align: 'right' },
  { title: 'TRIGGER', value: ({ trigger }) => trigger },
  { title: 'VERDICT', value: ({ verdict }) => verdict },
  { title: 'STATE', value: ({ state }) => state },
  { title: 'VALUES', value: ({ values }) => valuesText(values) },
  { title: 'REASON', value: ({ reason }) => reason },
];

/** `tidegate trigger test` */
export function addTriggerTest(trigger: Command): void {
  const command = trigger
    .command('test')
    .argument('<file>', 'a definition in YAML or JSON; - for standard input')
    .summary('try a definition on staged steps')
    .description('Evaluates a definition on steps that are staged, in order, without committing or doing anything.');
  addOption(command, '--steps <n|n,…|lo:hi>', 'steps to evaluate', { parse: stepSelection, required: true });
  addOption(command, '--run <name>', 'name of the run', { parse: name, default: 'default' });
  addCommonOptions(command);
  addExamples(command, [
    'tidegate trigger test hot.yaml --steps 0:100',
    'tidegate trigger test hot.yaml --run run7 --steps 40,41 --json | jq .decisions',
  ]);
  command.action((file: string, { run, steps, ...options }: TestOptions) =>
    withClient(options, async ({ client, terminal }) => {
      const source = await readDocument(file);
      const reply = await checking(source, () =>
        client.triggers.test({ definition: definitionOf(source), run, steps }),
      );
      terminal.value(reply, ({ decisions, notCovered }) => [
        ...(decisions.length > 0 ? terminal.table(decisions, COLUMNS) : []),
        ...(notCovered.length > 0 ? [`not covered: ${notCovered.join(', ')}`] : []),
      ]);
    }),
  );
}

function definitionOf({ file, value }: SourceDocument): TriggerDefinitionInput {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as TriggerDefinitionInput;
  throw new BadRequestError('definition', `expected a map of keys in ${file}`);
}

/** Runs a call that checks a definition. @throws DefinitionError where it is refused */
async function checking<T>(source: SourceDocument, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw located(source, error);
  }
}
