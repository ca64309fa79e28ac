import { formatBox, parseBox } from '@tidegate/geometry';
import type { PartitionId } from '@tidegate/protocol';
import { noteSettled, perform, settledSequence } from '../actions/index.js';
import type { Committed } from '../decision-log/decision-log.js';
import type { LoggedDecision, LoggedPart } from '../decision-log/logged-decision.js';
import type { RunLog } from '../decision-log/run-log.js';
import type { EngineContext } from '../engine-context.js';
import { type Measured, measuredBox, planStep, type StepPlan } from '../measure/index.js';
import type { RegisteredTrigger } from '../registry/registered-trigger.js';
import {
  type CompiledTrigger,
  decideStep,
  decisionOf,
  encodeValue,
  INITIAL_STATE,
  type Measurement,
} from '../semantics/index.js';
import { addressOf, measureStep, withoutData } from './evaluation.js';
import type { Due } from './ready-queue.js';
import type { RunEpochs } from './run-epochs.js';
import { LeaseLostError } from './until-done.js';

/** What a decision is made of. */
export interface DecisionInput extends Due {
  readonly epoch: number;
  readonly time: number;
  readonly measured: Measured;
}

export interface TreeDeciderOptions {
  readonly context: EngineContext;
  readonly trigger: RegisteredTrigger;
  readonly log: RunLog;
  /** Which epoch each step is of, at this moment. */
  readonly epochs: () => RunEpochs;
  /** Whether this engine owns the primary at this moment. */
  readonly holds: () => boolean;
  readonly signal: AbortSignal;
}

/** Commits the decisions of a tree of triggers for one run, and does what follows from them. */
export class TreeDecider {
  readonly #options: TreeDeciderOptions;

  constructor(options: TreeDeciderOptions) {
    this.#options = options;
  }

  /**
   * Decides one step at one trigger of the tree and adds the decision to its log.
   *
   * @returns none where somebody else added one meanwhile
   * @throws LeaseLostError; StorageFullError, UnavailableError, TimeoutError; the signal's reason
   */
  async decide(node: CompiledTrigger, input: DecisionInput): Promise<Committed | undefined> {
    const { context, trigger, log, epochs, holds, signal } = this.#options;
    const own = log.of(node.name);
    const before = node.rules.stateful ? await own.state(epochs(), signal) : INITIAL_STATE;
    const { measured, step, epoch, time, partition } = input;
    const measurement: Measurement = {
      run: log.run,
      variable: trigger.variable.record.name,
      step,
      epoch,
      time,
      ...measured,
    };
    const decision = decisionOf(node, decideStep(node, before, measurement), {
      measurement,
      generation: trigger.record.generation,
      committedAt: new Date(context.wallClock()).toISOString(),
      ...(partition && { partition: partition.id }),
    });
    const address = addressOf({ trigger, node, run: log.run, due: input });
    const parts = loggedParts(measured);
    signal.throwIfAborted();
    if (!holds()) throw new LeaseLostError(`the lease of shard ${trigger.record.primary} is lost`);
    return own.append(
      {
        ...decision,
        variable: measurement.variable,
        box: formatBox(measuredBox(address)),
        time,
        before,
        ...(parts && { parts }),
        ...(partition && {
          source: { raw: partition.raw, box: formatBox(partition.box), bytes: partition.bytes },
        }),
      },
      signal,
    );
  }

  /**
   * Does what a decision asks for, nested triggers last. Doing it again does no harm.
   *
   * @param plan of its step, where it is at hand
   * @throws LeaseLostError; UnavailableError and others: to be tried again; the signal's reason
   */
  async settle(committed: Committed, plan?: StepPlan): Promise<void> {
    const { context, trigger, signal } = this.#options;
    const { decision } = committed;
    if (decision.outbox.length === 0) return;
    const { name: root } = trigger.root;
    await perform(context, { ...committed, root, signal });
    let nested = false;
    for (const entry of decision.outbox) {
      if (entry.kind !== 'trigger') continue;
      nested = true;
      const node = trigger.nodes.get(entry.trigger);
      if (node !== undefined) await this.#decideNested(node, decision, plan);
    }
    if (nested) noteSettled(context, { ...committed, root });
  }

  /** Does again what the newest decision of a trigger asked for, unless it is known to be done. @throws as `settle` */
  async redo(node: CompiledTrigger): Promise<void> {
    const { trigger, log } = this.#options;
    const own = log.of(node.name);
    if (own.head?.verdict !== 'fired') return;
    const committed = await own.newest();
    if (committed === undefined || committed.decision.outbox.length === 0) return;
    if (committed.decision.outbox.some(({ kind }) => kind !== 'event')) {
      const { generation } = trigger.record;
      const key = { root: trigger.root.name, generation, run: log.run, trigger: node.name };
      if ((await settledSequence(this.#options.context, key)) >= committed.sequence) return;
    }
    await this.settle(committed);
  }

  /** Decides a nested trigger where its parent fired, unless that is done already. */
  async #decideNested(node: CompiledTrigger, parent: LoggedDecision, plan: StepPlan | undefined): Promise<void> {
    const own = this.#options.log.of(node.name);
    for (;;) {
      const { head } = own;
      if (head && head.step === parent.step && head.epoch === parent.epoch && head.partition === parent.partition) {
        await this.redo(node);
        return;
      }
      const committed = await this.decide(node, await this.#nestedInput(node, parent, plan));
      if (committed !== undefined) {
        await this.settle(committed, plan);
        return;
      }
      await own.refresh();
    }
  }

  async #nestedInput(
    node: CompiledTrigger,
    parent: LoggedDecision,
    known: StepPlan | undefined,
  ): Promise<DecisionInput> {
    const { context, trigger, log, epochs, signal } = this.#options;
    const { step, epoch, time } = parent;
    const due = dueOf(parent);
    const at = { trigger, node, run: log.run, due };
    const planned = known ? ({ covered: true, plan: known } as const) : await planStep(context, addressOf(at), signal);
    if (!planned.covered) {
      return { ...due, epoch, time, measured: withoutData(node, `the data of step ${step} is not there any more`) };
    }
    const newest = node.readsPrevious ? (await log.of(node.name).state(epochs(), signal)).lastStep : null;
    const previousStep = newest !== null && newest < step ? newest : undefined;
    const { plan } = planned;
    const measured = await measureStep(context, { ...at, epoch, previousStep, plan, signal });
    return { ...due, epoch, time, measured };
  }
}

/** What a decision was on. */
function dueOf({ step, partition, source }: LoggedDecision): Due {
  if (partition === undefined || source === undefined) return { step };
  const { raw, box, bytes } = source;
  return { step, partition: { id: partition as PartitionId, raw, box: parseBox(box), bytes } };
}

function loggedParts({ parts }: Measured): readonly LoggedPart[] | undefined {
  if (!Array.isArray(parts) || parts.length === 0) return undefined;
  return (parts as Exclude<Measured['parts'], { readonly unknown: string }>).map(({ box, bytes, values }) => ({
    box,
    bytes,
    values: Object.fromEntries(Array.from(values, ([name, value]) => [name, encodeValue(value)])),
  }));
}
