import { readFile } from 'node:fs/promises';
import { ForbiddenError, UnavailableError } from '@tidegate/protocol';
import { type ConnectionOptions, connect, credsAuthenticator, nkeyAuthenticator, type TlsOptions } from 'nats';
import { Bus } from './bus.js';
import { fromNatsError } from './bus-errors.js';
import type { LocalExchange } from './local-exchange.js';
import { type Logger, silentLogger } from './logger.js';

export type { Bus } from './bus.js';

/** Where and as whom to connect. */
export interface ConnectOptions {
  /** One URL or several of one cluster: `nats://host:4222`. */
  readonly servers: string | readonly string[];
  /** Shown in the server's list of connections. */
  readonly name: string;
  readonly logger?: Logger;
  readonly user?: string;
  readonly pass?: string;
  readonly token?: string;
  /** Hears the bytes of each payload that comes or goes, for a process that watches over its memory. */
  readonly onPayload?: (bytes: number) => void;
  /** Shared by connections of one process, whose messages to each other then stay in it. */
  readonly exchange?: LocalExchange;
  /** `SU…` seed of a user's nkey. */
  readonly nkeySeed?: string;
  /** A `.creds` file: user JWT and seed. */
  readonly credsFile?: string;
  /** Certificates; `{}` asks for TLS with the system's authorities. */
  readonly tls?: Pick<TlsOptions, 'ca' | 'caFile' | 'cert' | 'certFile' | 'key' | 'keyFile' | 'handshakeFirst'>;
}

const CONNECT_TIMEOUT_MS = 5000;
const PING_INTERVAL_MS = 20_000;

async function authentication(options: ConnectOptions): Promise<ConnectionOptions> {
  const { user, pass, token, nkeySeed, credsFile } = options;
  if (credsFile !== undefined) return { authenticator: credsAuthenticator(await readFile(credsFile)) };
  if (nkeySeed !== undefined) return { authenticator: nkeyAuthenticator(new TextEncoder().encode(nkeySeed)) };
  return {
    ...(user !== undefined && { user }),
    ...(pass !== undefined && { pass }),
    ...(token !== undefined && { token }),
  };
}

/** URLs for a message: without what may be a password or a token. */
function shown(servers: readonly string[]): string {
  return servers.map((server) => server.replace(/\/\/[^@/]*@/, '//')).join(', ');
}

/**
 * Connects to NATS. A first connection that fails is an error; a later loss is mended in the background for ever.
 *
 * @throws UnavailableError naming the URL where no server answers; ForbiddenError where it refuses the credentials
 */
export async function connectBus(options: ConnectOptions): Promise<Bus> {
  const { name, logger = silentLogger, tls, onPayload = () => {}, exchange } = options;
  const servers =
    typeof options.servers === 'string' ? options.servers.split(',').map((url) => url.trim()) : [...options.servers];
  const auth = await authentication(options);
  try {
    const connection = await connect({
      ...auth,
      servers,
      name,
      ...(tls && { tls }),
      noAsyncTraces: true,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 250,
      reconnectJitter: 100,
      reconnectJitterTLS: 250,
      pingInterval: PING_INTERVAL_MS,
      timeout: CONNECT_TIMEOUT_MS,
    });
    return new Bus(connection, { logger, onPayload, exchange });
  } catch (cause) {
    const error = fromNatsError(cause, `connect to ${shown(servers)}`);
    if (error instanceof ForbiddenError) throw error;
    throw new UnavailableError(`no NATS server answers at ${shown(servers)}: is it running there?`, 1000, { cause });
  }
}
