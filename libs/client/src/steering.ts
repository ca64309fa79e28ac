import { type Bus, storedMessages, tail } from '@tidegate/bus';
import { STREAMS, type SteerBody, steerBodySchema, steerSubject } from '@tidegate/protocol';

export interface SteeringOptions {
  /**
   * `newest`: first the newest message that stands, so that a run which starts again learns that it is paused; `new`: only
   * what comes from now on. Default `newest`.
   */
  readonly from?: 'newest' | 'new';
  readonly signal?: AbortSignal;
}

/** Where a steering message stands: what is not above the last one by this order was overtaken. */
type Place = Pick<SteerBody, 'epoch' | 'decision' | 'action'>;

/** Below zero where `a` is older, zero for the same message. */
function compareSteers(a: Place, b: Place): number {
  return a.epoch - b.epoch || a.decision - b.decision || a.action - b.action;
}

/** Lets messages through in rising order alone: what an engine that lost its lease says late, or a repetition, is not heard. */
export class SteeringFence {
  #last: Place | undefined;

  /** True for a message that is newer than all before. */
  passes(steer: Place): boolean {
    if (this.#last && compareSteers(steer, this.#last) <= 0) return false;
    this.#last = steer;
    return true;
  }
}

const utf8 = new TextDecoder();

/** Steering messages of a run, each newer than the one before, until the signal or the iteration ends it. */
export async function* steering(
  bus: Bus,
  run: string,
  { from = 'newest', signal }: SteeringOptions = {},
): AsyncGenerator<SteerBody, void, undefined> {
  const subject = steerSubject(run);
  const fence = new SteeringFence();
  let standing: SteerBody | undefined;
  for await (const { data } of storedMessages(bus, STREAMS.steering.name, { subject })) {
    const steer = steerBody(data);
    if (steer && fence.passes(steer)) standing = steer;
  }
  if (signal?.aborted) return;
  if (standing && from === 'newest') yield standing;
  // From the beginning, so that nothing falls between the two readings: the fence holds back what was read already.
  for await (const { data } of tail(bus, STREAMS.steering.name, { subject, from: 'all', ...(signal && { signal }) })) {
    const steer = steerBody(data);
    if (!steer) bus.logger.warn({ subject }, 'passed over what is no steering message');
    else if (fence.passes(steer)) yield steer;
    else bus.logger.debug({ subject, steer }, 'rejected a steering message that is not newer');
  }
}

function steerBody(data: Uint8Array): SteerBody | undefined {
  try {
    const parsed = steerBodySchema.safeParse(JSON.parse(utf8.decode(data)));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
