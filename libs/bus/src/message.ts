import { headers as emptyHeaders, type Msg, type MsgHdrs } from 'nats';

/** A received message. `data` is a view into a larger buffer: copy what you keep. */
export interface Message {
  readonly subject: string;
  readonly data: Uint8Array;
  /** The header's first value; the empty string where it is absent. Names are case-sensitive. */
  header(name: string): string;
}

/** What this library needs of a message, whichever way it came. */
export interface Carried extends Pick<Msg, 'subject' | 'data'> {
  readonly reply?: string | undefined;
  readonly headers?: MsgHdrs | undefined;
}

/** Headers to send. */
export type HeaderMap = Readonly<Record<string, string>>;

/** The client's form of headers; none for an empty map. */
export function toNatsHeaders(map: HeaderMap | undefined): MsgHdrs | undefined {
  if (!map) return undefined;
  let built: MsgHdrs | undefined;
  for (const name in map) {
    built ??= emptyHeaders();
    built.append(name, map[name] ?? '');
  }
  return built;
}

/** Wraps a message of the client. */
export function fromNats(message: Carried): Message {
  return {
    subject: message.subject,
    data: message.data,
    header: (name) => message.headers?.get(name) ?? '',
  };
}

const MAX_HEADER_TEXT = 500;

/** One printable ASCII line of bounded length, fit to be the value of a header. */
export function headerSafe(text: string): string {
  const cut = text.length > MAX_HEADER_TEXT ? `${text.slice(0, MAX_HEADER_TEXT)}...` : text;
  return cut.replace(/[^\x21-\x7e]+/g, ' ').trim();
}
