import { ensureStreams } from '@tidegate/bus';
import type { LoggedDecision } from '../../decision-log/logged-decision.js';
import { FakeStaging } from '../../measure/__tests__/fake-staging.js';
import { INITIAL_STATE, type OutboxEntry, outboxOf } from '../../semantics/index.js';
import type { ActionContext } from '../context.js';
import { SettledLog } from '../settled.js';

/** Logged errors and warnings. */
export interface Logged {
  readonly level: 'warn' | 'error';
  readonly fields: object;
  readonly message: string;
}

/** A nats-server with the streams, fake shards, and what actions need. */
export interface ActionBench {
  readonly staging: FakeStaging;
  readonly context: ActionContext;
  readonly logged: Logged[];
  end(): Promise<void>;
}

export async function startActionBench(): Promise<ActionBench> {
  const staging = await FakeStaging.start();
  await ensureStreams(staging.bus);
  const logged: Logged[] = [];
  const log = (level: Logged['level']) => (fields: object, message: string) => logged.push({ level, fields, message });
  const logger = { debug() {}, info() {}, warn: log('warn'), error: log('error') };
  const settled = await SettledLog.open(staging.bus, logger);
  const { bus, router, variable } = staging;
  return {
    staging,
    logged,
    context: { bus, router, variable, logger, settled },
    async end() {
      await settled.stop();
      await staging.end();
    },
  };
}

type Actions = Parameters<typeof outboxOf>[1];

/** A fired decision of trigger `hot` on variable `T`. */
export function fired(more: Partial<LoggedDecision> = {}, actions: Actions = []): LoggedDecision {
  const key = { trigger: 'hot', generation: 2, run: 'r', epoch: 1, step: 7, ...more };
  return {
    ...key,
    variable: 'T',
    box: '0:16,0:16',
    time: 1_767_323_045_000,
    verdict: 'fired',
    state: 'firing',
    late: false,
    indicator: true,
    values: { mx: 2.5, bad: 'NaN' },
    failures: {},
    reason: 'the condition holds',
    committedAt: '2026-01-02T03:04:05.678Z',
    before: INITIAL_STATE,
    after: INITIAL_STATE,
    outbox: outboxOf(key, actions),
    ...more,
  };
}

/** The entry of one kind. */
export function entryOf<K extends OutboxEntry['kind']>(
  decision: LoggedDecision,
  kind: K,
): Extract<OutboxEntry, { readonly kind: K }> {
  const entry = decision.outbox.find((candidate) => candidate.kind === kind);
  if (entry === undefined) throw new Error(`it has no ${kind}`);
  return entry as Extract<OutboxEntry, { readonly kind: K }>;
}
