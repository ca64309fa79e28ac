import { decode, encode } from '@msgpack/msgpack';
import { connect, headers as createHeaders, createInbox, type Msg, type NatsConnection } from 'nats';

/** Headers of a request, by name. */
export type PlainHeaders = Readonly<Record<string, string | number>>;

/** A reply as it came over the wire. */
export interface PlainReply {
  readonly data: Uint8Array;
  /** The empty string where it is absent. */
  header(name: string): string;
  /** `Nats-Service-Error-Code`, 0 where the reply is no error. */
  readonly status: number;
  /** The body as JSON. */
  json<T = Record<string, unknown>>(): T;
  /** The body as MessagePack. */
  msgpack<T = Record<string, unknown>>(): T;
}

const TIMEOUT_MS = 20_000;

function plainReply(message: Msg): PlainReply {
  const data = new Uint8Array(message.data);
  const header = (name: string): string => message.headers?.get(name) ?? '';
  return {
    data,
    header,
    status: Number(header('Nats-Service-Error-Code')),
    json: <T>() => JSON.parse(new TextDecoder().decode(data)) as T,
    msgpack: <T>() => decode(data) as T,
  };
}

/** A client that has read the wire contract and uses the `nats` package alone. */
export class PlainClient {
  readonly connection: NatsConnection;

  private constructor(connection: NatsConnection) {
    this.connection = connection;
  }

  static async connect(url: string): Promise<PlainClient> {
    return new PlainClient(await connect({ servers: url, noAsyncTraces: true, name: 'plain-client' }));
  }

  /** One request, one reply. @throws the client's own errors: no responders, time-out, payload too large */
  async request(
    subject: string,
    payload: Uint8Array | string = '',
    headers: PlainHeaders = {},
    timeoutMs = TIMEOUT_MS,
  ): Promise<PlainReply> {
    const names = Object.entries(headers);
    const map = createHeaders();
    for (const [name, value] of names) map.append(name, String(value));
    return plainReply(
      await this.connection.request(subject, payload, {
        timeout: timeoutMs,
        ...(names.length > 0 && { headers: map }),
      }),
    );
  }

  /** A control request with a JSON body. */
  control(subject: string, body: object, timeoutMs = TIMEOUT_MS): Promise<PlainReply> {
    return this.request(subject, JSON.stringify(body), {}, timeoutMs);
  }

  /** A control request with a MessagePack body. */
  controlMsgpack(subject: string, body: object): Promise<PlainReply> {
    return this.request(subject, encode(body));
  }

  /** A request with several replies: hands on each of them until `take` says that it was the last one. */
  async stream(
    subject: string,
    headers: PlainHeaders,
    take: (reply: PlainReply) => 'more' | 'done',
    timeoutMs = TIMEOUT_MS,
  ): Promise<void> {
    const inbox = createInbox();
    const map = createHeaders();
    for (const [name, value] of Object.entries(headers)) map.append(name, String(value));
    const subscription = this.connection.subscribe(inbox);
    const timer = setTimeout(() => subscription.unsubscribe(), timeoutMs);
    try {
      this.connection.publish(subject, '', { reply: inbox, headers: map });
      for await (const message of subscription) {
        if (take(plainReply(message)) === 'done') return;
      }
      throw new Error(`the replies of ${subject} ended before the last one came`);
    } finally {
      clearTimeout(timer);
      subscription.unsubscribe();
    }
  }

  async close(): Promise<void> {
    await this.connection.close();
  }
}
