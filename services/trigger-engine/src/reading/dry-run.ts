import { type Bus, monotonicNow } from '@tidegate/bus';
import { planRegion, type VariableHandle } from '@tidegate/client/region';
import { intersect, parseBox } from '@tidegate/geometry';
import {
  BadRequestError,
  type DecisionReply,
  encodeBody,
  type LookupReply,
  type LookupRequest,
  parseRequest,
  rawSubject,
  type StepSelection,
  TooLargeError,
  type TriggerTestReply,
  type TriggerTestRequest,
  triggerDefinitionSchema,
  UnknownVariableError,
} from '@tidegate/protocol';
import {
  measure,
  newestPut,
  type PartitionAddress,
  planStep,
  type StepAddress,
  type StepPlan,
} from '../measure/index.js';
import {
  appliesTo,
  type CompareState,
  type CompiledTrigger,
  decideStep,
  decisionOf,
  INITIAL_STATE,
  type ValidDefinition,
  validateDefinition,
} from '../semantics/index.js';
import { checkKernels } from './check-kernels.js';
import type { ReadingContext } from './context.js';
import { decisionReply } from './decision-reply.js';

/** Most steps of one test. */
const STEPS_LIMIT = 1000;
const PLAN_MS = 10_000;
const LOOKUP_MS = 5000;
/** Left in a message for its headers. */
const REPLY_ROOM = 4096;
/** Generation of decisions that are not committed. */
const UNCOMMITTED = 0;

/**
 * `tide.v1.trigger.test`: what a definition would decide on staged steps, in their order and from the state before the
 * first decision. Nothing is committed or done; `call` checks are asked.
 *
 * @throws BadRequestError, UnknownVariableError, UnavailableError; TooLargeError where the reply fits no message; the
 *   signal's reason
 */
export async function dryRun(
  context: ReadingContext,
  { definition: map, run, steps }: TriggerTestRequest,
  signal: AbortSignal,
): Promise<TriggerTestReply> {
  const { name, on } = parseRequest(triggerDefinitionSchema, map);
  const variable = await context.variable(on.variable);
  if (variable === undefined) throw new UnknownVariableError(on.variable);
  const valid = validateDefinition(map, { variable: variable.record, derivations: context.derivations(name) });
  await checkKernels(context, valid.definition);
  const test = new DryRun(context, { valid, variable, run, signal });
  const notCovered: number[] = [];
  for (const step of listed(steps)) {
    if (appliesTo(valid.definition.on, run, step) && !(await test.decide(step))) notCovered.push(step);
  }
  const reply: TriggerTestReply = { decisions: test.decisions, notCovered };
  needRoom(context.bus, reply);
  return reply;
}

function needRoom({ maxPayload }: Bus, reply: TriggerTestReply): void {
  const bytes = encodeBody(reply, 'json').length;
  if (bytes <= maxPayload - REPLY_ROOM) return;
  throw new TooLargeError(
    `expected a reply of at most ${maxPayload} bytes, got ${bytes}: ask for fewer steps`,
    maxPayload,
  );
}

/** The selected steps, rising. @throws BadRequestError for too many */
export function listed(selection: StepSelection): number[] {
  const [lower = 0, upper = 0] = typeof selection === 'string' ? selection.split(':').map(Number) : [];
  const count = typeof selection === 'string' ? upper - lower : [selection].flat().length;
  if (count > STEPS_LIMIT) throw new BadRequestError('steps', `expected at most ${STEPS_LIMIT} steps, got ${count}`);
  if (typeof selection === 'string') return Array.from({ length: count }, (_, index) => lower + index);
  return [...new Set([selection].flat())].sort((a, b) => a - b);
}

interface Subject {
  readonly valid: ValidDefinition;
  readonly variable: VariableHandle;
  readonly run: string;
  readonly signal: AbortSignal;
}

/** Decides steps without a log: the states of the triggers are kept here. */
class DryRun {
  readonly decisions: DecisionReply[] = [];
  readonly #context: ReadingContext;
  readonly #subject: Subject;
  readonly #states = new Map<string, CompareState>();
  /** Step that each trigger decided last. */
  readonly #previous = new Map<string, number>();

  constructor(context: ReadingContext, subject: Subject) {
    this.#context = context;
    this.#subject = subject;
  }

  /** Decides a step. @returns false where it is not covered */
  async decide(step: number): Promise<boolean> {
    const { valid, variable, run, signal } = this.#subject;
    const { on, name: trigger } = valid.definition;
    const at: StepAddress = { variable, box: parseBox(on.box), run, step, trigger };
    if (on.when === 'partition') return this.#decidePartitions(at);
    const planned = await planStep(this.#context, at, signal);
    if (planned.covered) await this.#evaluate(valid.triggers[0], at, planned.plan);
    return planned.covered;
  }

  async #decidePartitions(at: StepAddress): Promise<boolean> {
    let found = false;
    for (const partition of await partitionsOf(this.#context, at, this.#subject.signal)) {
      const alone = { ...at, partition };
      const planned = await planStep(this.#context, alone, this.#subject.signal);
      if (!planned.covered) continue;
      found = true;
      await this.#evaluate(this.#subject.valid.triggers[0], alone, planned.plan);
    }
    return found;
  }

  async #evaluate(trigger: CompiledTrigger | undefined, at: StepAddress, plan: StepPlan): Promise<void> {
    if (trigger === undefined) return;
    const { name, check, condition, recovery } = trigger;
    const { run, step, partition } = at;
    const variable = at.variable.record.name;
    const measured = await measure(this.#context, {
      at: { ...at, trigger: name },
      plan,
      checks: check,
      readsParts: condition.readsParts || recovery?.readsParts === true,
      previousStep: this.#previous.get(name),
      signal: this.#subject.signal,
    });
    const measurement = {
      run,
      variable,
      step,
      epoch: this.#context.epochOf({ variable, run, step }),
      time: newestPut(plan.pieces),
      ...measured,
    };
    const outcome = decideStep(trigger, this.#states.get(name) ?? INITIAL_STATE, measurement);
    const decision = decisionOf(trigger, outcome, {
      measurement,
      generation: UNCOMMITTED,
      committedAt: new Date().toISOString(),
      ...(partition !== undefined && { partition: partition.id }),
    });
    this.#states.set(name, outcome.state);
    this.#previous.set(name, step);
    this.decisions.push(decisionReply(decision));
    for (const entry of decision.outbox) {
      if (entry.kind !== 'trigger') continue;
      const nested = this.#subject.valid.triggers.find((candidate) => candidate.name === entry.trigger);
      await this.#evaluate(nested, at, plan);
    }
  }
}

/** The partitions that make up what is staged of a box at a step, in the order of their ids. @throws UnavailableError */
async function partitionsOf(
  { bus, router }: ReadingContext,
  at: StepAddress,
  signal: AbortSignal,
): Promise<PartitionAddress[]> {
  const now = monotonicNow();
  const { pieces } = await planRegion(router, at, { waitUntil: now, deadline: now + PLAN_MS, signal });
  const distinct = [...new Map(pieces.map((piece) => [piece.id, piece])).values()];
  const found: PartitionAddress[] = [];
  for (const { id, raw, bytes } of distinct.sort((a, b) => (a.id < b.id ? -1 : 1))) {
    const request: LookupRequest = { id };
    const { reply } = await bus.requestJson<LookupReply>(rawSubject(raw, 'lookup'), request, {
      timeoutMs: LOOKUP_MS,
      signal,
    });
    const box = reply && parseBox(reply.box);
    if (box !== undefined && intersect(box, at.box) !== undefined) found.push({ id, box, raw, bytes });
  }
  return found;
}
