import { createHash } from 'node:crypto';
import { isOpaque, itemSize } from '@tidegate/array';
import type { Bus, Logger } from '@tidegate/bus';
import { boxBytes, boxWithin, type VariableHandle } from '@tidegate/client/region';
import { type Box, formatBox } from '@tidegate/geometry';
import {
  BadRequestError,
  ConflictError,
  HEADERS,
  type HybridClock,
  type LookupReply,
  type LookupRequest,
  type PartitionId,
  type PartitionRecord,
  type PutDescriptor,
  type PutReply,
  type RawId,
  rawSubject,
  SizeMismatchError,
  UnavailableError,
} from '@tidegate/protocol';
import { ulid } from 'ulid';
import type { Catalog } from './catalog.js';
import type { Reservation } from './memory-tier.js';
import type { PartitionStore } from './partition-store.js';
import type { ShardIndex } from './shard-index.js';

export interface PutFlowOptions {
  readonly raw: RawId;
  readonly bus: Bus;
  readonly store: PartitionStore;
  readonly catalog: Catalog;
  readonly index: ShardIndex;
  readonly clock: HybridClock;
  readonly logger: Logger;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  /** Called with each step that a commit brought, before the put is answered. */
  readonly onStep: (record: PartitionRecord) => void;
}

/** A put that passed every check and has its room. */
export interface StagedPut {
  readonly handle: VariableHandle;
  readonly descriptor: PutDescriptor;
  readonly box: Box;
  readonly id: PartitionId;
  readonly bytes: number;
  readonly reservation: Reservation;
}

interface Underway {
  record: PartitionRecord;
  readonly done: Promise<PutReply>;
}

/** How long a put waits for another raw-service to finish the same put. */
const TWIN_MS = 5000;

/** The way of a put: checked, admitted, stored, indexed, committed, answered; undone everywhere when that fails. */
export class PutFlow {
  readonly #options: PutFlowOptions;
  readonly #underway = new Map<string, Underway>();
  /** Ids of puts that wait for their room. */
  readonly #arriving = new Map<string, number>();

  constructor(options: PutFlowOptions) {
    this.#options = options;
  }

  /** A put that came in one message. Errors: those of the contract for `tide.v1.put`. */
  async put(descriptor: PutDescriptor, payload: Uint8Array): Promise<PutReply> {
    const handle = await this.#options.catalog.variable(descriptor.variable);
    const box = checkPut(handle, descriptor, payload.length);
    const standing = this.#standing(descriptor, box, payload.length);
    if (standing) return standing;
    if (descriptor.digest !== undefined)
      checkDigest(descriptor.digest, createHash('sha256').update(payload).digest('hex'));
    const staged = await this.#arrive(descriptor.id, () => this.#stage(handle, descriptor, box, payload.length));
    try {
      staged.reservation.write(0, payload);
    } catch (error) {
      staged.reservation.abort();
      throw error;
    }
    return this.finish(staged);
  }

  /** Checks a put whose bytes come later, and reserves their room. `undefined` reservations are answered by `standing`. */
  async open(descriptor: PutDescriptor, bytes: number): Promise<StagedPut> {
    const handle = await this.#options.catalog.variable(descriptor.variable);
    return this.#stage(handle, descriptor, checkPut(handle, descriptor, bytes), bytes);
  }

  /** Indexes, commits and answers a staged put whose bytes are all there. The room is given back when it fails. */
  finish(staged: StagedPut): Promise<PutReply> {
    const standing = this.#standing(staged.descriptor, staged.box, staged.bytes);
    if (standing) {
      staged.reservation.abort();
      return standing;
    }
    const record = this.#record(staged);
    const underway: Underway = { record, done: Promise.resolve().then(() => this.#finish(staged, underway)) };
    this.#underway.set(record.id, underway);
    const forget = () => this.#underway.delete(record.id);
    underway.done.then(forget, forget);
    return underway.done;
  }

  /** Puts that are indexed or about to be, but not committed: part of the inventory. */
  underway(): readonly PartitionRecord[] {
    return [...this.#underway.values()].map(({ record }) => record);
  }

  /** Waits for the end, good or bad, of a put that is under way. */
  async settled(id: string): Promise<void> {
    await this.#underway.get(id)?.done.catch(() => undefined);
  }

  /** How the put with an id stands. */
  async lookup({ id, waitMs = 0 }: LookupRequest): Promise<LookupReply> {
    const underway = this.#underway.get(id);
    if ((underway && waitMs === 0) || (!underway && this.#arriving.has(id))) return { state: 'underway' };
    await this.settled(id);
    const stored = this.#options.store.get(id);
    return stored ? { state: 'stored', reply: this.reply(stored.record) } : { state: 'absent' };
  }

  /** Lets a lookup know of a put while it is staged. */
  async #arrive<T>(id: string | undefined, stage: () => Promise<T>): Promise<T> {
    if (id === undefined) return stage();
    this.#arriving.set(id, (this.#arriving.get(id) ?? 0) + 1);
    try {
      return await stage();
    } finally {
      const left = (this.#arriving.get(id) ?? 1) - 1;
      if (left > 0) this.#arriving.set(id, left);
      else this.#arriving.delete(id);
    }
  }

  /** The reply to a put that is stored here. */
  reply(record: PartitionRecord): PutReply {
    const { state, memory } = this.#options.store.use();
    const { id, run, variable, step, epoch, box, bytes, digest } = record;
    return {
      id,
      run,
      variable,
      step,
      epoch,
      box: formatBox(box),
      bytes,
      ...(digest !== undefined && { digest }),
      rawService: this.#options.raw,
      storage: { state, freeBytes: memory.limitBytes - memory.usedBytes },
    };
  }

  async #stage(handle: VariableHandle, descriptor: PutDescriptor, box: Box, bytes: number): Promise<StagedPut> {
    const reservation = await this.#options.store.reserve(bytes, {
      waitMs: descriptor.wait,
      durable: isDurable(handle),
    });
    return { handle, descriptor, box, id: (descriptor.id ?? ulid()) as PartitionId, bytes, reservation };
  }

  /** The answer to a put whose id is stored or under way here already. */
  #standing(descriptor: PutDescriptor, box: Box, bytes: number): Promise<PutReply> | undefined {
    if (descriptor.id === undefined) return undefined;
    const underway = this.#underway.get(descriptor.id);
    const record = underway?.record ?? this.#options.store.get(descriptor.id)?.record;
    if (!record) return undefined;
    const { variable, run, step } = descriptor;
    const conflict = conflictOf(record.id, placeOf(record), { variable, run, step, box: formatBox(box), bytes });
    if (conflict) return Promise.reject(conflict);
    return underway?.done ?? Promise.resolve(this.reply(record));
  }

  #record({ handle, descriptor, box, id, bytes }: StagedPut): PartitionRecord {
    const { annotation, derivedFrom, activity, digest, run, step } = descriptor;
    return {
      id,
      run,
      variable: handle.record.name,
      step,
      epoch: this.#options.catalog.epoch(run),
      box,
      dtype: handle.record.dtype,
      bytes,
      stamp: this.#options.clock.next(),
      createdAt: this.#options.wallClock(),
      ...(digest !== undefined && { digest }),
      ...(annotation !== undefined && { annotation }),
      ...(derivedFrom !== undefined && { derivedFrom }),
      ...(activity !== undefined && { activity }),
    };
  }

  async #finish(staged: StagedPut, underway: Underway): Promise<PutReply> {
    const { handle, reservation } = staged;
    const { index, store, catalog } = this.#options;
    try {
      const outcome = await index.index(handle, underway.record, (record) => {
        underway.record = record;
      });
      if (outcome.kind === 'duplicate') return await this.#twin(staged, underway, outcome.raw);
      const { record } = outcome;
      if (catalog.isSuperseded(record)) {
        throw new ConflictError(
          `run "${record.run}" was rolled back below step ${record.step} while the put was under way`,
        );
      }
      this.#options.onStep(record);
      await store.commit(reservation, record, { durable: isDurable(handle) });
      return this.reply(record);
    } catch (error) {
      reservation.abort();
      if (!this.#options.store.get(underway.record.id))
        index.forget({ handle, records: [underway.record], reason: 'undone' });
      throw error;
    }
  }

  /** The same id stands at another raw-service: its answer is the answer. */
  async #twin({ handle, reservation }: StagedPut, { record }: Underway, raw: RawId): Promise<PutReply> {
    reservation.abort();
    this.#options.index.forget({ handle, records: [record], reason: 'undone' });
    const { state, reply } = await this.#options.bus.requestJson<LookupReply>(
      rawSubject(raw, 'lookup'),
      { id: record.id, waitMs: TWIN_MS } satisfies LookupRequest,
      { timeoutMs: TWIN_MS + 1000 },
    );
    if (state === 'stored' && reply) {
      const conflict = conflictOf(record.id, reply, placeOf(record));
      if (conflict) throw conflict;
      return reply;
    }
    throw new UnavailableError(`raw-service ${raw} began this put and has not finished it`, 50);
  }
}

/** What a repeated put must have in common with the first. */
type PutPlace = Pick<PutReply, 'variable' | 'run' | 'step' | 'box' | 'bytes'>;

function placeOf({ variable, run, step, box, bytes }: PartitionRecord): PutPlace {
  return { variable, run, step, box: formatBox(box), bytes };
}

/** The error of a put whose id stands for another one already. */
function conflictOf(id: PartitionId, standing: PutPlace, asked: PutPlace): ConflictError | undefined {
  const { variable, run, step, box, bytes } = standing;
  const same =
    variable === asked.variable &&
    run === asked.run &&
    step === asked.step &&
    box === asked.box &&
    bytes === asked.bytes;
  if (same) return undefined;
  const message = `id ${id} was used for another put: expected the same descriptor again`;
  return new ConflictError(message, { variable, run, step, box, bytes });
}

function isDurable({ record }: VariableHandle): boolean {
  return record.durability === 'durable';
}

/** Checks what a put says of itself against its variable. @returns its box */
function checkPut(handle: VariableHandle, descriptor: PutDescriptor, bytes: number): Box {
  const { name, dtype, annotation } = handle.record;
  const box = boxWithin(handle, descriptor.box, HEADERS.box);
  if (!isOpaque(dtype)) {
    const expected = boxBytes(handle, box);
    if (bytes !== expected) {
      throw new SizeMismatchError(
        expected,
        bytes,
        `expected ${expected} bytes for box ${formatBox(box)} of ${dtype} (${itemSize(dtype)} bytes each), got ${bytes}`,
      );
    }
  }
  if (annotation === 'required' && descriptor.annotation === undefined) {
    throw new BadRequestError(HEADERS.annotation, `variable "${name}" asks for an annotation on every put, got none`);
  }
  return box;
}

/** @throws BadRequestError where a payload has not the digest that its writer gave */
export function checkDigest(wanted: string, hex: string): void {
  if (wanted !== `sha256:${hex}`)
    throw new BadRequestError(HEADERS.digest, `expected a payload of digest ${wanted}, got sha256:${hex}`);
}
