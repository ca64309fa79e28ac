import { type ConnectOptions as BusOptions, connectBus, monotonicNow, openBucket, Roster } from '@tidegate/bus';
import type { MemberRecord } from '@tidegate/protocol';
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
    const members = await openBucket<MemberRecord>(bus, 'members');
    let opened: Roster | undefined;
    const refresh = () => choice.update(opened?.live('raw') ?? []);
    const roster = await Roster.open(bus, members, { onJoin: refresh, onLeave: refresh, onChange: refresh });
    opened = roster;
    refresh();
    return new Tidegate(bus, roster, choice);
  } catch (error) {
    await bus.close();
    throw error;
  }
}
