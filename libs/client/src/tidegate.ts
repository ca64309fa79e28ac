import { isOpaque } from '@tidegate/array';
import { type Bus, monotonicNow, OwnerTable, type Roster, ShardRouter } from '@tidegate/bus';
import { type Box, formatBox, shapeOf } from '@tidegate/geometry';
import {
  BadRequestError,
  type Declaration,
  type DeleteReply,
  isTidegateError,
  PUBLIC,
  type PutReply,
  type QueryReply,
  type RollbackReply,
  SizeMismatchError,
  type SteerBody,
  type StepReply,
  type StepSelection,
  type StepsReply,
  type StorageReply,
  type VariableListReply,
  type VariableRecord,
} from '@tidegate/protocol';
import { control } from './control.js';
import { findCovered } from './covered-steps.js';
import { type EventsOptions, type FiredEvent, firedEvents } from './fired-events.js';
import { type Kernels, kernelCalls } from './kernels.js';
import { namedStep, stepSearch } from './named-step.js';
import { bytesOf, type NdArray, ndArray } from './nd-array.js';
import { busPieceSource } from './piece-reader.js';
import { putPartition } from './put.js';
import { newPutId } from './put-id.js';
import type { RawChoice } from './raw-choice.js';
import type { Region } from './region-planner.js';
import { RegionReader, type StoredObject } from './region-reader.js';
import type { Call, CallOptions, GetRequest, PutRequest, StepsRequestOptions } from './requests.js';
import { type SteeringOptions, steering } from './steering.js';
import { type Task, type TasksOptions, tasks } from './task-queue.js';
import { type TaskHandler, type WorkOptions, work } from './task-worker.js';
import { type Triggers, triggerCalls } from './triggers.js';
import { boxBytes, boxWithin, type VariableHandle, variableHandle } from './variable-handle.js';

const TIMEOUT_MS = 30_000;
const PUT_WAIT_MS = 10_000;
/** Longest single wait of an endless iteration; it is asked again after. */
const ROUND_MS = 600_000;

/** A connection to a Tidegate cluster: see `connect`. */
export class Tidegate {
  readonly #bus: Bus;
  readonly #owners: OwnerTable;
  readonly #router: ShardRouter;
  readonly #roster: Roster;
  readonly #choice: RawChoice;
  readonly #reader: RegionReader;
  readonly #handles = new Map<string, VariableHandle>();
  /** What watches the data: registering, looking at it, trying it out. */
  readonly triggers: Triggers;
  /** WebAssembly modules for checks and transforms. */
  readonly kernels: Kernels;

  /** Use `connect`. */
  constructor(bus: Bus, roster: Roster, choice: RawChoice) {
    this.#bus = bus;
    this.#roster = roster;
    this.#choice = choice;
    this.#owners = OwnerTable.open(bus);
    this.#router = new ShardRouter(bus, this.#owners);
    this.#reader = new RegionReader({ bus, router: this.#router, source: busPieceSource(bus) });
    const call: Call = (subject, body, { timeoutMs = TIMEOUT_MS, signal }, waitMs = 0) =>
      control(bus, subject, body, { deadline: monotonicNow() + timeoutMs, signal, waitMs });
    this.triggers = triggerCalls(bus, call);
    this.kernels = kernelCalls(bus, call);
  }

  /**
   * Declares a variable. The same declaration again is answered with the standing record.
   *
   * @throws ConflictError where another declaration of that name stands, BadRequestError
   */
  async declare(declaration: Declaration, options: CallOptions = {}): Promise<VariableRecord> {
    const record = await this.#control<VariableRecord>(PUBLIC.declare, declaration, options);
    this.#handles.set(record.name, variableHandle(record));
    return record;
  }

  /** A variable's record. @throws UnknownVariableError */
  async variable(name: string, options: CallOptions = {}): Promise<VariableRecord> {
    return (await this.#handle(name, options)).record;
  }

  async variables(options: CallOptions = {}): Promise<readonly VariableRecord[]> {
    return (await this.#control<VariableListReply>(PUBLIC.variableList, {}, options)).variables;
  }

  /** Deletes a variable with all its partitions. @throws UnknownVariableError */
  async deleteVariable(name: string, options: CallOptions = {}): Promise<void> {
    this.#handles.delete(name);
    await this.#control(PUBLIC.variableDelete, { name }, options);
  }

  /**
   * Stores one partition. When it returns, the partition is readable and survives the death of any process.
   *
   * @throws SizeMismatchError, OutOfDomainError, StorageFullError (no room within `waitMs`), UnknownVariableError …
   */
  async put(request: PutRequest): Promise<PutReply> {
    const data = bytesOf(request.data);
    return this.#withHandle(request.variable, request, (handle) => {
      const box = boxWithin(handle, request.box);
      if (!isOpaque(handle.record.dtype)) {
        const expected = boxBytes(handle, box);
        if (data.length !== expected) throw new SizeMismatchError(expected, data.length);
      }
      const { annotation, waitMs = PUT_WAIT_MS } = request;
      return putPartition(
        this.#bus,
        this.#choice,
        {
          variable: request.variable,
          run: request.run ?? 'default',
          step: request.step,
          box,
          id: request.id ?? newPutId(),
          data,
          ...(annotation !== undefined && {
            annotation: typeof annotation === 'string' ? annotation : JSON.stringify(annotation),
          }),
          ...(request.derivedFrom && { derivedFrom: request.derivedFrom }),
          ...(request.activity !== undefined && { activity: request.activity }),
          ...(request.digest !== undefined && { digest: request.digest }),
        },
        { waitMs, deadline: deadline(request, waitMs), signal: request.signal, onProgress: request.onProgress },
      );
    });
  }

  /**
   * Gets any region of a step: the newest data of every cell, whole, or an error.
   *
   * @throws NotCoveredError (TimeoutError after a wait) with the missing boxes; NotFoundError for a step that its window
   *   dropped; BadRequestError for an opaque variable (see `getObjects`)
   */
  async get(request: GetRequest): Promise<NdArray> {
    return this.#withHandle(request.variable, request, async (handle) => {
      const { dtype, name } = handle.record;
      if (isOpaque(dtype))
        throw new BadRequestError('variable', `variable "${name}" is opaque: expected getObjects, got get`);
      const { region, options } = await this.#region(handle, request);
      const bytes = request.into ?? new Uint8Array(boxBytes(handle, region.box));
      const { epoch } = await this.#reader.read(region, bytes, { ...options, onProgress: request.onProgress });
      const { run, step, box } = region;
      return ndArray({ variable: name, run, step, epoch, box, shape: shapeOf(box), dtype, bytes });
    });
  }

  /** Gets the opaque objects that together cover a region, in the order of their places. Errors as `get`. */
  async getObjects(request: Omit<GetRequest, 'into'>): Promise<readonly StoredObject[]> {
    return this.#withHandle(request.variable, request, async (handle) => {
      const { region, options } = await this.#region(handle, request);
      return (await this.#reader.readObjects(region, options)).objects;
    });
  }

  /** Which partitions a region would be read from, and what is missing. */
  query(
    request: { variable: string; step: number; box?: Box | string; run?: string; waitMs?: number } & CallOptions,
  ): Promise<QueryReply> {
    const { variable, step, box, run, waitMs = 0 } = request;
    const body = {
      variable,
      step,
      ...(box !== undefined && { box: boxText(box) }),
      ...(run !== undefined && { run }),
      wait: waitMs,
    };
    return this.#control(PUBLIC.query, body, request, waitMs);
  }

  /** What is staged of a variable, step by step. */
  async listSteps(
    request: { variable: string; run?: string; after?: number; waitMs?: number } & CallOptions,
  ): Promise<readonly StepReply[]> {
    const { variable, run, after, waitMs = 0 } = request;
    const steps: StepReply[] = [];
    let from = after;
    for (;;) {
      const body = {
        variable,
        ...(run !== undefined && { run }),
        ...(from !== undefined && { after: from }),
        wait: steps.length === 0 ? waitMs : 0,
      };
      const reply = await this.#control<StepsReply>(PUBLIC.steps, body, request, waitMs);
      steps.push(...reply.steps);
      from = reply.steps.at(-1)?.step;
      if (!reply.more || from === undefined) return steps;
    }
  }

  /** Covered steps in rising order, as they become covered; ends when `waitMs` pass without another one. */
  async *steps(request: StepsRequestOptions): AsyncGenerator<number, void, undefined> {
    let after = request.after ?? -1;
    for (;;) {
      const step = await this.#nextStep(request, after);
      if (step === undefined) {
        if (request.waitMs !== undefined) return;
        continue;
      }
      after = step;
      yield step;
    }
  }

  /** Deletes steps, or with `box` the partitions inside it. */
  delete(
    request: { variable: string; steps: StepSelection; run?: string; box?: Box | string } & CallOptions,
  ): Promise<DeleteReply> {
    const { variable, steps, run, box } = request;
    const body = {
      variable,
      steps,
      ...(run !== undefined && { run }),
      ...(box !== undefined && { box: boxText(box) }),
    };
    return this.#control(PUBLIC.delete, body, request);
  }

  /** Keeps steps in memory, whatever the window and the pressure. */
  async pin(
    request: { variable: string; steps: StepSelection; run?: string; reason?: string } & CallOptions,
  ): Promise<void> {
    await this.#control(PUBLIC.pin, pinBody(request), request);
  }

  async unpin(
    request: { variable: string; steps: StepSelection; run?: string; reason?: string } & CallOptions,
  ): Promise<void> {
    await this.#control(PUBLIC.unpin, pinBody(request), request);
  }

  /** Supersedes every step of a run above `toStep`. */
  rollback(
    request: { run: string; toStep: number; variables?: readonly string[]; reason?: string } & CallOptions,
  ): Promise<RollbackReply> {
    const { run, toStep, variables, reason } = request;
    return this.#control(
      PUBLIC.rollback,
      { run, toStep, ...(variables && { variables }), ...(reason !== undefined && { reason }) },
      request,
    );
  }

  /** A trigger fired: each decision once, in the order in which they were made known. */
  events(options: EventsOptions = {}): AsyncGenerator<FiredEvent, void, undefined> {
    return firedEvents(this.#bus, options);
  }

  /** What a run is told to do; what is not newer than the last message is rejected. Same as `run(name).steering()`. */
  steering(run: string, options: SteeringOptions = {}): AsyncGenerator<SteerBody, void, undefined> {
    return steering(this.#bus, run, options);
  }

  /** What belongs to one run. */
  run(name: string): { steering(options?: SteeringOptions): AsyncGenerator<SteerBody, void, undefined> } {
    return { steering: (options) => this.steering(name, options) };
  }

  /** Tasks of one kind as they come; each is to be settled. For a worker see `work`. */
  tasks(name: string, options: TasksOptions = {}): AsyncGenerator<Task, void, undefined> {
    return tasks(this.#bus, name, options);
  }

  /** Does the tasks of one kind until the signal aborts: returning acknowledges a task, throwing lets it come again. */
  work(name: string, handler: TaskHandler, options: WorkOptions = {}): Promise<void> {
    return work(this.#bus, name, handler, options);
  }

  /** Room and state of every raw-service. */
  storage(options: CallOptions = {}): Promise<StorageReply> {
    return this.#control(PUBLIC.storage, {}, options);
  }

  async close(): Promise<void> {
    this.#owners.close();
    await this.#roster.stop();
    await this.#bus.close();
  }

  #control<T>(subject: string, body: unknown, { timeoutMs = TIMEOUT_MS, signal }: CallOptions, waitMs = 0): Promise<T> {
    return control<T>(this.#bus, subject, body, { deadline: monotonicNow() + timeoutMs + waitMs, signal });
  }

  async #handle(name: string, options: CallOptions): Promise<VariableHandle> {
    const known = this.#handles.get(name);
    if (known) return known;
    const handle = variableHandle(await this.#control<VariableRecord>(PUBLIC.variableGet, { name }, options));
    this.#handles.set(name, handle);
    return handle;
  }

  /** Runs a call with the variable's record; once more with a fresh one where the record turned out to be of old. */
  async #withHandle<T>(name: string, options: CallOptions, call: (handle: VariableHandle) => Promise<T>): Promise<T> {
    const handle = await this.#handle(name, options);
    try {
      return await call(handle);
    } catch (error) {
      if (!mayBeStale(error) || this.#handles.get(name) !== handle) throw error;
      this.#handles.delete(name);
      const fresh = await this.#handle(name, options);
      if (fresh.record.createdAt === handle.record.createdAt) throw error;
      return call(fresh);
    }
  }

  async #region(handle: VariableHandle, request: GetRequest) {
    const { signal, waitMs = 0, run = 'default' } = request;
    const box = boxWithin(handle, request.box);
    const waitUntil = monotonicNow() + waitMs;
    const until = deadline(request, waitMs);
    const step =
      typeof request.step === 'number'
        ? request.step
        : await namedStep(
            this.#router,
            { variable: handle, run, box, wanted: request.step, search: stepSearch(request.step) },
            { waitUntil, deadline: until, signal, waited: waitMs > 0 },
          );
    const region: Region = { variable: handle, run, step, box };
    return { region, options: { waitMs: Math.max(0, waitUntil - monotonicNow()), deadline: until, signal } };
  }

  async #nextStep(request: StepsRequestOptions, after: number): Promise<number | undefined> {
    const waitMs = request.waitMs ?? ROUND_MS;
    return this.#withHandle(request.variable, request, (handle) =>
      findCovered(
        this.#router,
        {
          variable: handle,
          run: request.run ?? 'default',
          box: boxWithin(handle, request.box),
          search: { firstAbove: after },
        },
        { waitUntil: monotonicNow() + waitMs, deadline: deadline(request, waitMs), signal: request.signal },
      ),
    );
  }
}

function deadline({ timeoutMs = TIMEOUT_MS }: CallOptions, waitMs: number): number {
  return monotonicNow() + waitMs + timeoutMs;
}

function boxText(box: Box | string): string {
  return typeof box === 'string' ? box : formatBox(box);
}

function pinBody({
  variable,
  steps,
  run,
  reason,
}: {
  variable: string;
  steps: StepSelection;
  run?: string;
  reason?: string;
}) {
  return { variable, steps, ...(run !== undefined && { run }), ...(reason !== undefined && { reason }) };
}

/** Errors that a record of a variable since deleted and declared anew would also cause. */
function mayBeStale(error: unknown): boolean {
  return (
    isTidegateError(error) &&
    ['UNKNOWN_VARIABLE', 'SIZE_MISMATCH', 'OUT_OF_DOMAIN', 'BAD_REQUEST', 'NOT_COVERED', 'NOT_FOUND'].includes(
      error.code,
    )
  );
}
