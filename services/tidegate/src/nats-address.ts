import { BadRequestError } from '@tidegate/protocol';

/** The address that commands use when none is given. */
export const DEFAULT_NATS = 'nats://127.0.0.1:4222';

/** Where to connect and as whom. */
export interface NatsAddress {
  /** URLs without credentials. */
  readonly servers: readonly string[];
  readonly user?: string;
  readonly pass?: string;
  readonly token?: string;
  readonly tls?: Record<string, never>;
}

const SCHEMES: ReadonlySet<string> = new Set(['nats:', 'tls:', 'ws:', 'wss:']);

/**
 * Reads one URL or several of one cluster, comma-separated: `nats://user:password@host:4222`, `nats://token@host`,
 * `tls://host`, or a bare `host:port`.
 *
 * @throws BadRequestError
 */
export function parseNatsAddress(text: string): NatsAddress {
  const urls = text.split(',').map((part) => parseOne(part.trim()));
  const { username, password } = urls.find((url) => url.username !== '') ?? { username: '', password: '' };
  return {
    servers: urls.map(({ protocol, host }) => `${protocol}//${host}`),
    ...(password !== '' && { user: decodeURIComponent(username), pass: decodeURIComponent(password) }),
    ...(password === '' && username !== '' && { token: decodeURIComponent(username) }),
    ...(urls.some(({ protocol }) => protocol === 'tls:') && { tls: {} }),
  };
}

function parseOne(text: string): URL {
  const url = URL.parse(text.includes('://') ? text : `nats://${text}`);
  if (!url || url.host === '' || !SCHEMES.has(url.protocol)) {
    throw new BadRequestError(
      'nats',
      `expected a URL such as ${DEFAULT_NATS}, got ${JSON.stringify(withoutSecret(text))}`,
    );
  }
  return url;
}

function withoutSecret(text: string): string {
  return text.replace(/[^/@]*@/, '');
}
