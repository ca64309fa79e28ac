import {
  type ExplainReply,
  encodeBody,
  NotFoundError,
  type TriggerExplainRequest,
  type TriggerRecord,
  UnknownTriggerError,
} from '@tidegate/protocol';
import type { LoggedDecision } from '../decision-log/logged-decision.js';
import { type CompiledTrigger, type ExplainedPart, explainStep, validateDefinition } from '../semantics/index.js';
import type { ReadingContext } from './context.js';
import { decisionReply } from './decision-reply.js';
import { findDecision } from './find-decision.js';
import { loggedMeasurement } from './logged-measurement.js';
import { hasTrigger, rootOf } from './trigger-name.js';
import { whyUndecided } from './why-undecided.js';

/** Left in a message for its headers. */
const REPLY_ROOM = 4096;

/**
 * `tide.v1.trigger.explain`: how the decision on a step came about.
 *
 * @throws UnknownTriggerError; NotFoundError that says why the step has no decision; UnavailableError
 */
export async function explainDecision(context: ReadingContext, request: TriggerExplainRequest): Promise<ExplainReply> {
  const { name, run, step } = request;
  const [found, record] = await Promise.all([
    findDecision(context.bus, request, context.signal),
    context.trigger(rootOf(name)),
  ]);
  if (found === undefined) {
    if (record === undefined || !hasTrigger(record, name)) throw new UnknownTriggerError(name);
    const why = await whyUndecided(context, record, request);
    throw new NotFoundError(`trigger "${name}" has not decided step ${step} of run "${run}": ${why}`);
  }
  const { decision, sequence } = found;
  const compiled = await compiledTrigger(context, record, decision);
  const expressions = 'lost' in compiled ? NOTHING : expressionsOf(compiled, decision);
  const notes = [decision.reason, superseded(context, decision), 'lost' in compiled ? compiled.lost : ''];
  const reply: ExplainReply = {
    decision: decisionReply(decision, sequence),
    ...(decision.parts && { parts: decision.parts }),
    ...expressions,
    before: { ...decision.before },
    after: { ...decision.after },
    reason: notes.filter((note) => note !== '').join('; '),
    actions: decision.outbox.map((entry) => ({ ...entry })),
  };
  const { parts, ...slim } = reply;
  return encodeBody(reply, 'json').length > context.bus.maxPayload - REPLY_ROOM ? slim : reply;
}

interface Expressions {
  readonly condition: readonly ExplainedPart[];
  readonly recovery: readonly ExplainedPart[];
}
const NOTHING: Expressions = { condition: [], recovery: [] };

function expressionsOf(trigger: CompiledTrigger, decision: LoggedDecision): Expressions {
  return explainStep(trigger, decision.before, loggedMeasurement(trigger, decision));
}

function superseded(context: ReadingContext, { variable, run, step, epoch }: LoggedDecision): string {
  const standing = context.epochOf({ variable, run, step });
  if (standing <= epoch) return '';
  return `superseded by a rollback of the run, which is in epoch ${standing} at this step and has not decided it since`;
}

/** The trigger as it was when it decided, or why it cannot be had any more. */
async function compiledTrigger(
  context: ReadingContext,
  record: TriggerRecord | undefined,
  { trigger, generation }: LoggedDecision,
): Promise<CompiledTrigger | { readonly lost: string }> {
  if (record?.generation !== generation) {
    const standing = record === undefined ? 'is gone' : `was replaced by generation ${record.generation}`;
    return { lost: `generation ${generation} ${standing}, so that its expressions are not shown` };
  }
  const variable = await context.variable(record.definition.on.variable);
  if (variable === undefined || variable.record.createdAt !== record.variableCreatedAt) {
    return { lost: 'its variable was deleted, so that its expressions are not shown' };
  }
  const { triggers } = validateDefinition(record.definition, { variable: variable.record });
  const compiled = triggers.find(({ name }) => name === trigger);
  return compiled ?? { lost: `its definition has no trigger "${trigger}"` };
}
