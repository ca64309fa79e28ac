import { formatBox, parseBox } from '@tidegate/geometry';
import type { TriggerRecord } from '@tidegate/protocol';
import { planStep } from '../measure/index.js';
import { matchesRun } from '../semantics/index.js';
import type { ReadingContext } from './context.js';
import { type DecisionQuery, findDecision } from './find-decision.js';
import { parentOf } from './trigger-name.js';

const BOXES_SHOWN = 4;

/** Why a step has no decision, in one line. @throws UnavailableError where the owners of shards do not answer */
export async function whyUndecided(
  context: ReadingContext,
  record: TriggerRecord,
  query: DecisionQuery,
): Promise<string> {
  const { name, run, step, generation } = query;
  const { on: scope } = record.definition;
  if (generation !== undefined && generation !== record.generation) {
    return `generation ${generation} has not decided it; the trigger stands at generation ${record.generation}`;
  }
  if (record.state === 'deleted') return 'the trigger is deleted and decides nothing any more';
  if (!matchesRun(scope.run, run)) return `the trigger is for runs "${scope.run}"`;
  if (step % scope.every !== 0) return `the trigger decides steps that are multiples of ${scope.every}`;
  const parent = parentOf(name);
  if (parent !== undefined) return whyParent(context, record, { ...query, name: parent });
  return (await whyNoData(context, record, query)) ?? whyNotYet(record);
}

async function whyParent(context: ReadingContext, record: TriggerRecord, parent: DecisionQuery): Promise<string> {
  const found = await findDecision(context.bus, { ...parent, generation: record.generation }, context.signal);
  if (found === undefined) {
    return `it is decided where ${parent.name} fires, which has not decided the step: ${await whyUndecided(context, record, parent)}`;
  }
  const { verdict, reason } = found.decision;
  if (verdict === 'fired') return `${parent.name} fired at the step: the decision is due`;
  return `it is decided where ${parent.name} fires, which was ${verdict} at the step: ${reason}`;
}

async function whyNoData(
  context: ReadingContext,
  { definition: { on: scope }, name: trigger, variableCreatedAt }: TriggerRecord,
  { run, step }: DecisionQuery,
): Promise<string | undefined> {
  const variable = await context.variable(scope.variable);
  if (variable === undefined || variable.record.createdAt !== variableCreatedAt) {
    return `variable "${scope.variable}" was deleted, and the trigger goes with it`;
  }
  if (scope.when === 'partition') return undefined;
  const box = scope.box === undefined ? variable.domain : parseBox(scope.box);
  const planned = await planStep(context, { variable, box, run, step, trigger }, context.signal);
  if (planned.covered) return undefined;
  if (planned.dropped) return `the window of variable "${scope.variable}" dropped the step before it was decided`;
  const { missing } = planned;
  const shown = missing.slice(0, BOXES_SHOWN).map(formatBox).join(' ');
  return `its box is not covered: ${missing.length === 1 ? 'one box has' : `${missing.length} boxes have`} no data: ${shown}${missing.length > BOXES_SHOWN ? ' …' : ''}`;
}

function whyNotYet({ enabled, state, definition }: TriggerRecord): string {
  if (!enabled) return 'the trigger is disabled';
  if (state === 'registering') return 'the registration of the trigger is not finished yet';
  return definition.on.when === 'partition'
    ? 'no partition inside its box was decided'
    : 'its box is covered: the decision is due';
}
