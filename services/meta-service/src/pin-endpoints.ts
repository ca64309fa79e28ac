import { controlHandler, type EndpointSpec, inParallel, monotonicNow, syncMembers } from '@tidegate/bus';
import {
  ENDPOINTS,
  type PinRecord,
  type PinRequest,
  parsePinKey,
  pinKey,
  pinSchema,
  selects,
  TooLargeError,
} from '@tidegate/protocol';
import { revisionWithout } from './cluster-state.js';
import { type Coordinator, declared, endpoint, OWNERS_MS, stagedSteps } from './coordinator.js';

/** Most steps of one pin. */
const PINS_LIMIT = 10_000;
/** Keys that are written at a time. */
const WRITES = 64;

/** `pin` and `unpin`. */
export function pinEndpoints(coordinator: Coordinator): EndpointSpec[] {
  return [
    endpoint(
      ENDPOINTS.pin,
      controlHandler(pinSchema, (request) => pin(coordinator, request)),
    ),
    endpoint(
      ENDPOINTS.unpin,
      controlHandler(pinSchema, (request) => unpin(coordinator, request)),
    ),
  ];
}

/** Pins steps: of a range those that are staged, else also steps to come. Every raw-service knows when it returns. */
export async function pin(coordinator: Coordinator, request: PinRequest): Promise<Record<string, never>> {
  const { bus, roster, state } = coordinator;
  const { run, reason } = request;
  const variable = await declared(coordinator, request.variable);
  const steps = typeof request.steps === 'string' ? await stagedIn(coordinator, request) : [request.steps].flat();
  const record: PinRecord = { ...(reason !== undefined && { reason }), at: new Date().toISOString() };
  let revision = 0;
  await inParallel([...new Set(steps)], WRITES, async (step) => {
    revision = Math.max(revision, await state.pins.bucket.put(pinKey(variable.record.name, run, step), record));
  });
  if (revision > 0) await syncMembers(bus, roster, 'pins', revision, { kinds: ['raw', 'meta'] });
  return {};
}

async function stagedIn(coordinator: Coordinator, request: PinRequest): Promise<number[]> {
  const variable = await declared(coordinator, request.variable);
  const [lower = '', upper = ''] = String(request.steps).split(':');
  const steps: number[] = [];
  for (let from = Number(lower); from < Number(upper); ) {
    const range = `${from}:${upper}`;
    const staged = await stagedSteps(
      coordinator,
      variable,
      { run: request.run, steps: range },
      monotonicNow() + OWNERS_MS,
    );
    for (const { step } of staged.steps) steps.push(step);
    if (steps.length > PINS_LIMIT) {
      throw new TooLargeError(
        `expected at most ${PINS_LIMIT} steps to pin at a time, got more in ${request.steps}`,
        PINS_LIMIT,
      );
    }
    const last = steps.at(-1);
    if (!staged.more || last === undefined) break;
    from = last + 1;
  }
  return steps;
}

/** Unpins the pinned ones among steps. */
export async function unpin(coordinator: Coordinator, request: PinRequest): Promise<Record<string, never>> {
  await declared(coordinator, request.variable);
  await dropPins(coordinator, pinsOf(request));
  return {};
}

/** True for the keys of the pins of some steps. */
export function pinsOf({
  variable,
  run,
  steps,
}: Pick<PinRequest, 'variable' | 'run' | 'steps'>): (key: string) => boolean {
  return (key) => {
    const parts = parsePinKey(key);
    return parts.variable === variable && parts.run === run && selects(steps, parts.step);
  };
}

/** Deletes the pins with these keys and returns once every raw-service knows. */
export async function dropPins({ bus, roster, state }: Coordinator, doomed: (key: string) => boolean): Promise<void> {
  const { pins } = state;
  const deleted = new Map<string, number>();
  for (const [key, { revision }] of pins.cache.entries()) if (doomed(key)) deleted.set(key, revision);
  if (deleted.size === 0) return;
  await inParallel([...deleted], WRITES, async ([key, revision]) => {
    await pins.bucket.delete(key, revision);
  });
  await syncMembers(bus, roster, 'pins', await revisionWithout(pins, deleted), { kinds: ['raw', 'meta'] });
}
