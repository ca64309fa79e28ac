import { type Bus, connectBus } from '@tidegate/bus';
import { connect, type Tidegate } from '@tidegate/client';
import { processLogger } from './log.js';
import { parseNatsAddress } from './nats-address.js';
import { Terminal } from './terminal.js';

/** Options that every command has. */
export interface CommonOptions {
  readonly nats: string;
  readonly json?: true;
}

/** What a command works with. */
export interface Session {
  readonly client: Tidegate;
  readonly terminal: Terminal;
}

/** Milliseconds that a command gives the cluster to answer. */
export const ANSWER_MS = 10_000;
/** A transfer may take so long beside, counted at a rate that any network has: 1 MB/s. */
const BYTES_PER_MS = 1000;

/** How long a transfer of so many bytes may take, in milliseconds. */
export function transferMs(bytes: number): number {
  return ANSWER_MS + Math.ceil(bytes / BYTES_PER_MS);
}

/** Runs a command with a connection of the SDK, which is closed behind it. */
export async function withClient<T>(options: CommonOptions, run: (session: Session) => Promise<T>): Promise<T> {
  const logger = processLogger('silent');
  const client = await connect({ ...parseNatsAddress(options.nats), name: 'tidegate-cli', logger });
  try {
    return await run({ client, terminal: terminalFor(options) });
  } finally {
    await client.close();
  }
}

/** Runs a command with a bare connection, which is closed behind it. */
export async function withBus<T>(options: CommonOptions, run: (bus: Bus) => Promise<T>): Promise<T> {
  const logger = processLogger('silent');
  const bus = await connectBus({ ...parseNatsAddress(options.nats), name: 'tidegate-cli', logger });
  try {
    return await run(bus);
  } finally {
    await bus.close();
  }
}

/** The process's terminal, as the options ask for it. */
export function terminalFor({ json = false }: { readonly json?: boolean }): Terminal {
  return new Terminal({ json });
}
