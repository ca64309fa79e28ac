import { monotonicNow, publishEvent, syncMembers } from '@tidegate/bus';
import {
  ConflictError,
  type RollbackReply,
  type RollbackRequest,
  type RunRecord,
  runEventSubject,
  standingRollbacks,
  withRollback,
} from '@tidegate/protocol';
import { askList, type Coordinator, declared, OWNERS_MS } from './coordinator.js';
import { releaseListed } from './release-flow.js';

const ATTEMPTS = 16;
/** How long the same request may be a repetition of one whose reply was lost; its event is stored once for longer. */
const REPEATED_MS = 60_000;

interface Standing {
  readonly record: RunRecord;
  readonly revision: number;
}

/**
 * Begins the next epoch of a run: no put of an earlier one enters a step above `toStep` any more, and what is staged
 * there is released. The same request again within a minute, while nothing was put above `toStep` since, finishes what
 * the first began and answers its epoch: a client repeats a request whose reply was lost.
 *
 * @throws UnknownVariableError; UnavailableError while an owner or a raw-service does not answer
 */
export async function rollBack(coordinator: Coordinator, request: RollbackRequest): Promise<RollbackReply> {
  const { bus, logger } = coordinator;
  for (const name of request.variables ?? []) await declared(coordinator, name);
  const { record, revision } = await nextEpoch(coordinator, request);
  const { at: _, standing: __, ...event } = record;
  await publishEvent(bus, runEventSubject(record.run), event, { msgId: `${record.run}.${record.epoch}.${revision}` });
  logger.info(event, 'a run was rolled back');
  return { epoch: record.epoch };
}

async function nextEpoch(coordinator: Coordinator, request: RollbackRequest): Promise<Standing> {
  const { bucket } = coordinator.state.runs;
  const { run, toStep, variables, reason } = request;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const entry = await bucket.get(run);
    if (entry !== undefined && isRepeated(entry.value, request)) {
      const standing = { record: entry.value, revision: entry.revision };
      await carryOut(coordinator, standing);
      if (!(await isStagedAbove(coordinator, entry.value))) return standing;
    }
    const epoch = (entry?.value.epoch ?? 0) + 1;
    const record: RunRecord = {
      run,
      epoch,
      toStep,
      ...(variables && { variables }),
      ...(reason !== undefined && { reason }),
      at: new Date().toISOString(),
      standing: withRollback(standingRollbacks(entry?.value), { epoch, toStep, ...(variables && { variables }) }),
    };
    const revision = entry ? await bucket.update(run, record, entry.revision) : await bucket.create(run, record);
    if (revision === undefined) continue;
    await carryOut(coordinator, { record, revision });
    return { record, revision };
  }
  throw new ConflictError(`run "${run}" is being rolled back by others at the same time`);
}

function isRepeated(standing: RunRecord, { toStep, variables, reason }: RollbackRequest): boolean {
  const named = (list: readonly string[] | undefined) => list?.toSorted().join();
  return (
    standing.toStep === toStep &&
    standing.reason === reason &&
    named(standing.variables) === named(variables) &&
    Date.now() - Date.parse(standing.at) < REPEATED_MS
  );
}

/** Has everybody know of a rollback, then releases what it superseded. Idempotent. */
async function carryOut(coordinator: Coordinator, { record, revision }: Standing): Promise<void> {
  const { bus, roster, state } = coordinator;
  // An engine that knew only the earlier epoch would take a step that is put again for decided.
  await syncMembers(bus, roster, 'runs', revision, { kinds: ['raw', 'meta', 'engine'] });
  for (const concerned of above(record)) {
    await releaseListed(coordinator, allShards(state), { ...concerned, belowEpoch: record.epoch }, 'rollback');
  }
}

async function isStagedAbove(coordinator: Coordinator, record: RunRecord): Promise<boolean> {
  for (const concerned of above(record)) {
    const replies = await askList(coordinator, allShards(coordinator.state), concerned, monotonicNow() + OWNERS_MS);
    if (replies.some(({ partitions = [] }) => partitions.length > 0)) return true;
  }
  return false;
}

/** What a rollback concerns, as lists ask for it. */
function above({ run, toStep, variables }: RunRecord): { run: string; steps: string; variable?: string }[] {
  if (toStep === Number.MAX_SAFE_INTEGER) return [];
  const steps = `${toStep + 1}:${Number.MAX_SAFE_INTEGER}`;
  return variables === undefined ? [{ run, steps }] : variables.map((variable) => ({ run, steps, variable }));
}

function allShards({ config }: Coordinator['state']): number[] {
  return Array.from({ length: config.shards }, (_, shard) => shard);
}
