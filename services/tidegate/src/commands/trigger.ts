import type { TriggerReply } from '@tidegate/protocol';
import type { Command } from 'commander';
import { stringify } from 'yaml';
import { name } from '../arguments.js';
import { addCommonOptions, addExamples } from '../common-options.js';
import { count } from '../format/count.js';
import type { Column } from '../format/table.js';
import { addOption } from '../option.js';
import { ANSWER_MS, type CommonOptions, withClient } from '../session.js';
import { addTriggerCheck } from './trigger-check.js';
import { addTriggerDecisions, addTriggerExplain } from './trigger-decisions.js';
import { addTriggerRegister, addTriggerTest } from './trigger-register.js';

const COLUMNS: readonly Column<TriggerReply>[] = [
  { title: 'NAME', value: ({ name }) => name },
  { title: 'GENERATION', value: ({ generation }) => generation, align: 'right' },
  { title: 'VARIABLE', value: ({ definition }) => definition.on.variable },
  { title: 'BOX', value: ({ definition }) => definition.on.box ?? '' },
  { title: 'RUN', value: ({ definition }) => definition.on.run },
  { title: 'ENABLED', value: ({ enabled }) => enabled },
  { title: 'REGISTERED', value: ({ createdAt }) => createdAt },
];

/** `tidegate trigger …` */
export function addTrigger(program: Command): void {
  const trigger = program
    .command('trigger')
    .helpCommand(false)
    .summary('watch the data, and act')
    .description(
      'Works with triggers: what is computed of each step where its data is, when that means something, and what is ' +
        'then done. Definitions are YAML or JSON; docs/guide/triggers.md tells how they are written.',
    );
  addExamples(trigger, ['tidegate trigger check hot.check.yaml', 'tidegate trigger register hot.yaml']);
  addTriggerRegister(trigger);
  addList(trigger);
  addGet(trigger);
  addSwitch(trigger, 'enable');
  addSwitch(trigger, 'disable');
  addDelete(trigger);
  addTriggerDecisions(trigger);
  addTriggerExplain(trigger);
  addTriggerTest(trigger);
  addTriggerCheck(trigger);
}

function addList(trigger: Command): void {
  const command = trigger
    .command('list')
    .summary('list the triggers')
    .description('Lists the registered triggers, by name. "tidegate trigger get NAME" shows one in full.');
  addOption(command, '--variable <name>', 'only those on this variable', { parse: name, defaultText: 'all' });
  addCommonOptions(command);
  addExamples(command, ['tidegate trigger list', 'tidegate trigger list --variable T --json | jq -r .name']);
  command.action(({ variable, ...options }: CommonOptions & { readonly variable?: string }) =>
    withClient(options, async ({ client, terminal }) => {
      const triggers = await client.triggers.list({
        timeoutMs: ANSWER_MS,
        ...(variable !== undefined && { variable }),
      });
      terminal.rows(triggers, COLUMNS, 'no trigger is registered');
    }),
  );
}

function addGet(trigger: Command): void {
  const command = trigger
    .command('get')
    .argument('<name>', 'a registered trigger', name)
    .summary('show a trigger')
    .description('Shows a trigger as it stands, in full: what is printed is a definition that can be registered.');
  addCommonOptions(command);
  addExamples(command, ['tidegate trigger get hot', 'tidegate trigger get hot > hot.yaml']);
  command.action((trigger: string, options: CommonOptions) =>
    withClient(options, async ({ client, terminal }) => {
      terminal.value(await client.triggers.get(trigger, { timeoutMs: ANSWER_MS }), triggerLines);
    }),
  );
}

/** A trigger for people: its definition in YAML behind comments. */
export function triggerLines(trigger: TriggerReply): readonly string[] {
  const { name, generation, createdAt, enabled, primary, shards, definition, digest } = trigger;
  return [
    `# ${name}, generation ${generation}, ${enabled ? 'enabled' : 'disabled'}, registered ${createdAt}`,
    `# shard ${primary} decides, ${count(shards.length, 'shard')} touched, ${digest}`,
    ...stringify(definition, { lineWidth: 0 }).trimEnd().split('\n'),
  ];
}

const SWITCHES = {
  enable: {
    summary: 'let a trigger decide again',
    description: 'Lets a disabled trigger decide again, also the steps that are staged and undecided.',
    done: 'enabled',
  },
  disable: {
    summary: 'stop a trigger from deciding',
    description: 'Stops a trigger from deciding until it is enabled. Windows hold no step for it meanwhile.',
    done: 'disabled',
  },
} as const;

function addSwitch(trigger: Command, what: keyof typeof SWITCHES): void {
  const { summary, description, done } = SWITCHES[what];
  const command = trigger
    .command(what)
    .argument('<name>', 'a registered trigger', name)
    .summary(summary)
    .description(description);
  addCommonOptions(command);
  addExamples(command, [`tidegate trigger ${what} hot`, `tidegate trigger ${what} hot --json`]);
  command.action((trigger: string, options: CommonOptions) =>
    withClient(options, async ({ client, terminal }) => {
      terminal.value(await client.triggers[what](trigger, { timeoutMs: ANSWER_MS }), ({ name, generation }) => [
        `${done} trigger ${name}, generation ${generation}`,
      ]);
    }),
  );
}

function addDelete(trigger: Command): void {
  const command = trigger
    .command('delete')
    .argument('<name>', 'a registered trigger', name)
    .summary('delete a trigger')
    .description('Deletes a trigger. Its decisions stay readable; registered again it is the next generation.');
  addCommonOptions(command);
  addExamples(command, ['tidegate trigger delete hot', 'tidegate trigger delete hot --json']);
  command.action((trigger: string, options: CommonOptions) =>
    withClient(options, async ({ client, terminal }) => {
      const deleted = await client.triggers.delete(trigger, { timeoutMs: ANSWER_MS });
      terminal.value({ ...deleted, deleted: true }, ({ name, generation }) => [
        `deleted trigger ${name}, generation ${generation}`,
      ]);
    }),
  );
}
