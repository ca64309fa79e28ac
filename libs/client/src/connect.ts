import { type ConnectOptions as BusOptions, connectBus, monotonicNow, openBucket, Roster } from '@tidegate/bus';
import { RawChoice } from './raw-choice.js';
import { Tidegate } from './tidegate.js';

/** How to reach a cluster. */
export interface ConnectOptions extends Omit<BusOptions, 'name'> {
  /** Shown to operators; default `tidegate-client`. */
  readonly name?: string;
}

/**
 * Connects to a Tidegate cluster.
 *
 * @throws UnavailableError where no NATS server answers at `servers`
 */
export async function connect(options: ConnectOptions): Promise<Tidegate> {
  const bus = await connectBus({ name: 'tidegate-client', ...options });
  try {
    const choice = new RawChoice(monotonicNow, Math.random());
    const roster = await Roster.open(bus, await openBucket(bus, 'members'), {
      onChange: (members) => choice.update(members.live('raw')),
    });
    choice.update(roster.live('raw'));
    return new Tidegate(bus, roster, choice);
  } catch (error) {
    await bus.close();
    throw error;
  }
}
