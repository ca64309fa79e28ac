import type { DecisionReply, ExplainReply } from '@tidegate/protocol';
import type { Command } from 'commander';
import { fullName, integer, name, step } from '../arguments.js';
import { addCommonOptions, addExamples } from '../common-options.js';
import { decisionLine, valuesText, valueText } from '../format/decision.js';
import type { Column } from '../format/table.js';
import { untilInterrupted } from '../interrupt.js';
import { addOption } from '../option.js';
import { ANSWER_MS, type CommonOptions, type Session, withClient } from '../session.js';
import type { Terminal } from '../terminal.js';

interface DecisionsOptions extends CommonOptions {
  readonly run?: string;
  readonly from?: number;
  readonly generation?: number;
  readonly limit: number;
  readonly follow?: true;
}

const COLUMNS: readonly Column<DecisionReply>[] = [
  { title: 'RUN', value: ({ run }) => run },
  { title: 'EPOCH', value: ({ epoch }) => epoch, align: 'right' },
  { title: 'STEP', value: ({ step }) => step, align: 'right' },
  { title: 'VERDICT', value: ({ verdict }) => verdict },
  { title: 'STATE', value: ({ state }) => state },
  { title: 'LATE', value: ({ late }) => late },
  { title: 'VALUES', value: ({ values }) => valuesText(values) },
  { title: 'REASON', value: ({ reason }) => reason },
];
const DEFAULT_LIMIT = 100;

/** `tidegate trigger decisions` */
export function addTriggerDecisions(trigger: Command): void {
  const command = trigger
    .command('decisions')
    .argument('<name>', 'a trigger; parent~child for a nested one', fullName)
    .summary('list what a trigger decided')
    .description(
      'Lists the decisions of a trigger in the order in which they were committed, or goes on with each new one.',
    );
  addOption(command, '--run <name>', 'only this run', { parse: name, defaultText: 'all' });
  addOption(command, '--from <step>', 'only from this step on', { parse: step, defaultText: '0' });
  addOption(command, '--generation <n>', 'only this generation', { parse: integer(1), defaultText: 'all' });
  addOption(command, '--limit <n>', 'how many at most', { parse: integer(1), default: DEFAULT_LIMIT });
  addOption(command, '--follow', 'go on with every decision as it is made, until interrupted');
  addCommonOptions(command);
  addExamples(command, [
    'tidegate trigger decisions hot --run run7 --from 40',
    'tidegate trigger decisions hot~confirm --follow --json | jq \'select(.verdict == "fired")\'',
  ]);
  command.action((trigger: string, options: DecisionsOptions) =>
    withClient(options, (session) =>
      options.follow ? follow(session, trigger, options) : list(session, trigger, options),
    ),
  );
}

function selection(trigger: string, { run, from, generation }: DecisionsOptions) {
  return {
    name: trigger,
    ...(run !== undefined && { run }),
    ...(from !== undefined && { from }),
    ...(generation !== undefined && { generation }),
  };
}

async function list({ client, terminal }: Session, trigger: string, options: DecisionsOptions): Promise<void> {
  const { limit } = options;
  const decisions: DecisionReply[] = [];
  let more = false;
  for await (const decision of client.triggers.decisions({ ...selection(trigger, options), timeoutMs: ANSWER_MS })) {
    more = decisions.length === limit;
    if (more) break;
    decisions.push(decision);
  }
  terminal.rows(decisions, COLUMNS, `trigger "${trigger}" has decided nothing`);
  if (more) terminal.note(`… and more: --limit shows more than ${limit}, --from begins later`);
}

async function follow({ client, terminal }: Session, trigger: string, options: DecisionsOptions): Promise<void> {
  const { signal, dispose } = untilInterrupted();
  try {
    // An unknown name is an error, not silence.
    await client.triggers.decisionsPage({ name: trigger, limit: 1, timeoutMs: ANSWER_MS, signal });
    for await (const decision of client.triggers.followDecisions({ ...selection(trigger, options), signal })) {
      terminal.value(decision, () => [decisionLine(decision)]);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    dispose();
  }
}

interface ExplainOptions extends CommonOptions {
  readonly run: string;
  readonly step: number;
  readonly generation?: number;
}

/** `tidegate trigger explain` */
export function addTriggerExplain(trigger: Command): void {
  const command = trigger
    .command('explain')
    .argument('<name>', 'a trigger; parent~child for a nested one', fullName)
    .summary('tell why it fired, or not')
    .description('Tells how a decision came about: the values, what each part of the expressions came to, the state.');
  addOption(command, '--step <n>', 'step', { parse: step, required: true });
  addOption(command, '--run <name>', 'name of the run', { parse: name, default: 'default' });
  addOption(command, '--generation <n>', 'generation that decided it', {
    parse: integer(1),
    defaultText: 'the newest',
  });
  addCommonOptions(command);
  addExamples(command, [
    'tidegate trigger explain hot --step 41',
    'tidegate trigger explain hot~confirm --run run7 --step 41 --json | jq .condition',
  ]);
  command.action((trigger: string, { run, step, generation, ...options }: ExplainOptions) =>
    withClient(options, async ({ client, terminal }) => {
      const reply = await client.triggers.explain({
        name: trigger,
        run,
        step,
        timeoutMs: ANSWER_MS,
        ...(generation !== undefined && { generation }),
      });
      terminal.value(reply, (shown) => explainLines(terminal, shown));
    }),
  );
}

/** How a decision came about, for people. */
export function explainLines(terminal: Terminal, explained: ExplainReply): readonly string[] {
  const { decision, parts = [], condition, recovery, before, after, reason, actions } = explained;
  const { trigger, run, epoch, step, verdict, state, late, generation, values, failures = {}, committedAt } = decision;
  const failed = Object.entries(failures).map(([check, why]) => `${check}: ${why}`);
  return [
    `${trigger}, run ${run}, step ${step}: ${verdict}, because ${reason}`,
    ...terminal.fields({
      generation,
      epoch: epoch === 0 ? undefined : epoch,
      state: `${state}${late ? ', late' : ''}`,
      committed: committedAt,
      values: valuesText(values) || 'none',
      failed: failed.length > 0 ? failed.join('; ') : undefined,
      before: valuesText(before),
      after: valuesText(after),
      actions: actions.length > 0 ? actions.map((action) => valueText(action['kind'] ?? action)).join(', ') : 'none',
    }),
    ...expressionLines(terminal, 'CONDITION', condition),
    ...expressionLines(terminal, 'RECOVERY', recovery),
    ...(parts.length > 0 ? ['', ...terminal.table(parts, PART_COLUMNS)] : []),
  ];
}

const PART_COLUMNS: readonly Column<NonNullable<ExplainReply['parts']>[number]>[] = [
  { title: 'PIECE', value: ({ box }) => box },
  { title: 'BYTES', value: ({ bytes }) => bytes, align: 'right' },
  { title: 'VALUES', value: ({ values }) => valuesText(values) },
];

function expressionLines(terminal: Terminal, title: string, rows: ExplainReply['condition']): readonly string[] {
  if (rows.length === 0) return [];
  const columns: readonly Column<(typeof rows)[number]>[] = [
    { title, value: ({ text }) => text },
    { title: 'VALUE', value: ({ value }) => valueText(value) },
  ];
  return ['', ...terminal.table(rows, columns)];
}
