import {
  type Bus,
  type EndpointSpec,
  type Handler,
  type Logger,
  monotonicNow,
  type Roster,
  type ShardRouter,
  sleep,
} from '@tidegate/bus';
import { type VariableHandle, variableHandle } from '@tidegate/client/region';
import {
  absentError,
  type ListReply,
  type ListRequest,
  type StepSummary,
  UnknownVariableError,
} from '@tidegate/protocol';
import type { ClusterState } from './cluster-state.js';

/** How long owners of shards are looked for, beyond a request's own wait: about as long as a take-over lasts. */
export const OWNERS_MS = 4000;
const ABSENT_MS = 50;

/** What the public endpoints work with: any meta-service answers any of them, by asking the owners. */
export interface Coordinator {
  readonly bus: Bus;
  readonly logger: Logger;
  readonly router: ShardRouter;
  readonly roster: Roster;
  readonly state: ClusterState;
  /** Ends the waits when this process stops; another meta-service can be asked. */
  readonly signal: AbortSignal;
}

/** Registers a handler under the name and subject that the contract gives it. */
export function endpoint(
  { name, subject }: { readonly name: string; readonly subject: string },
  handler: Handler,
  maxPending?: number,
): EndpointSpec {
  return { name, subject, handler, ...(maxPending !== undefined && { maxPending }) };
}

/** A declared variable. @throws UnknownVariableError */
export async function declared({ state }: Coordinator, name: string): Promise<VariableHandle> {
  const record = state.variables.cache.get(name) ?? (await state.variables.cache.getThrough(name));
  if (record === undefined) throw new UnknownVariableError(name);
  return variableHandle(record);
}

/** Replies of `list` that together speak for the shards. @throws UnavailableError, also while an inventory is missing */
export async function askList(
  { router }: Coordinator,
  shards: readonly number[],
  body: Omit<ListRequest, 'shards'>,
  deadline: number,
): Promise<readonly ListReply[]> {
  for (;;) {
    const replies = await router.request<ListRequest, ListReply>('list', shards, () => body, { deadline });
    const absent = new Set(replies.flatMap((reply) => reply.absent ?? []));
    if (absent.size === 0) return replies;
    if (monotonicNow() + ABSENT_MS > deadline) {
      throw absentError(absent);
    }
    await sleep(ABSENT_MS);
  }
}

/** What is staged of some steps of a run, rising; `more` where the owners cut the list. */
export interface StagedSteps {
  readonly steps: readonly StepSummary[];
  readonly more: boolean;
}

/**
 * What is staged of the selected steps, over all shards.
 *
 * @param steps half-open range `lo:hi`, a step, or steps
 */
export async function stagedSteps(
  coordinator: Coordinator,
  variable: VariableHandle,
  asked: { readonly run: string; readonly steps: NonNullable<ListRequest['steps']> },
  deadline: number,
): Promise<StagedSteps> {
  const body = { variable: variable.record.name, ...asked, summary: true };
  return addUp(await askList(coordinator, variable.map.touched, body, deadline));
}

/** Adds the owners' parts up: a step is covered where every one of them says so. */
export function addUp(replies: readonly ListReply[]): StagedSteps {
  const cuts = replies.flatMap((reply) => (reply.cursor === undefined ? [] : [Number(reply.cursor)]));
  const end = Math.min(Infinity, ...cuts);
  const sums = new Map<number, { readonly parts: number; readonly summary: StepSummary }>();
  for (const { summaries = [] } of replies) {
    for (const summary of summaries) {
      if (summary.step > end) break;
      const sum = sums.get(summary.step);
      const added = sum === undefined ? summary : add(sum.summary, summary);
      sums.set(summary.step, { parts: (sum?.parts ?? 0) + 1, summary: added });
    }
  }
  const steps = [...sums.values()].map(({ parts, summary }) =>
    parts === replies.length ? summary : { ...summary, covered: false },
  );
  return { steps: steps.sort((a, b) => a.step - b.step), more: cuts.length > 0 };
}

function add(a: StepSummary, b: StepSummary): StepSummary {
  return {
    step: a.step,
    covered: a.covered && b.covered,
    partitions: a.partitions + b.partitions,
    bytes: a.bytes + b.bytes,
    onDisk: a.onDisk + b.onDisk,
  };
}
