import { append, ensureStreams, lastMessage, silentLogger } from '@tidegate/bus';
import { decisionSubject, encodeBody, STREAMS, type TriggerRecord } from '@tidegate/protocol';
import { decisionHeaders, type LoggedDecision } from '../../decision-log/logged-decision.js';
import { FakeStaging } from '../../measure/__tests__/fake-staging.js';
import { INITIAL_STATE, validateDefinition } from '../../semantics/index.js';
import type { ReadingContext } from '../context.js';
import { KernelStore } from '../kernel-store.js';
import { rootOf } from '../trigger-name.js';

/** A nats-server with fake shards, a decision log that tests write, and trigger records that they set. */
export interface ReadingBench {
  readonly staging: FakeStaging;
  readonly context: ReadingContext;
  readonly records: Map<string, TriggerRecord>;
  /** Epoch of every step. */
  epoch: number;
  /** Registers a definition on a variable of the staging. */
  register(
    map: { readonly name: string; readonly [key: string]: unknown },
    more?: Partial<TriggerRecord>,
  ): TriggerRecord;
  /** Appends a decision. @returns its sequence */
  commit(decision: Partial<LoggedDecision> & { readonly step: number }): Promise<number>;
  end(): Promise<void>;
}

export async function startReadingBench(): Promise<ReadingBench> {
  const staging = await FakeStaging.start();
  await ensureStreams(staging.bus);
  const { bus, router, variable } = staging;
  const records = new Map<string, TriggerRecord>();
  const context: ReadingContext = {
    bus,
    router,
    variable,
    logger: silentLogger,
    kernels: await KernelStore.open(bus),
    trigger: (name) => Promise.resolve(records.get(name)),
    derivations: () => [],
    epochOf: () => bench.epoch,
    signal: new AbortController().signal,
  };
  const bench: ReadingBench = {
    staging,
    context,
    records,
    epoch: 0,
    register(map, more = {}) {
      const variableOf = (map as { on?: { variable?: string } }).on?.variable ?? 'T';
      const record = staging.variables.get(variableOf);
      if (record === undefined) throw new Error(`${variableOf} is not declared`);
      const { definition, digest } = validateDefinition(map, { variable: record });
      const registered: TriggerRecord = {
        name: map.name,
        generation: 1,
        state: 'active',
        enabled: true,
        definition,
        digest,
        primary: 0,
        shards: [0],
        variableCreatedAt: record.createdAt,
        createdAt: record.createdAt,
        updatedAt: record.createdAt,
        ...more,
      };
      records.set(map.name, registered);
      return registered;
    },
    async commit(more) {
      const decision = decisionOf(more);
      const { trigger, generation, run } = decision;
      const subject = decisionSubject({ root: rootOf(trigger), generation, run, trigger });
      const expected = (await lastMessage(bus, STREAMS.decisions.name, subject))?.sequence ?? 0;
      const headers = decisionHeaders(decision);
      return (await append(bus, subject, encodeBody(decision, 'json'), { expected, headers })) ?? 0;
    },
    end: () => staging.end(),
  };
  return bench;
}

function decisionOf(more: Partial<LoggedDecision> & { readonly step: number }): LoggedDecision {
  return {
    trigger: 'hot',
    generation: 1,
    run: 'r',
    epoch: 0,
    variable: 'T',
    box: '0:8',
    time: 1_767_323_045_000,
    verdict: 'quiet',
    state: 'inactive',
    late: false,
    indicator: false,
    values: {},
    failures: {},
    reason: 'the condition does not hold',
    committedAt: '2026-01-02T03:04:05.678Z',
    before: INITIAL_STATE,
    after: INITIAL_STATE,
    outbox: [],
    ...more,
  };
}
