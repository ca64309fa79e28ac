import {
  decodeBody,
  errorFromBody,
  HEADERS,
  isTidegateError,
  type TidegateError,
  UnavailableError,
} from '@tidegate/protocol';
import type { Message } from './message.js';

/** The typed error of an error reply; none where the reply is no error. */
export function errorOfReply(reply: Message): TidegateError | undefined {
  const status = reply.header(HEADERS.errorCode);
  if (status === '') return undefined;
  // A responder that is none of ours may answer with the headers alone.
  if (reply.data.length === 0) return new UnavailableError(`error ${status}: ${reply.header(HEADERS.error)}`, 0);
  try {
    return errorFromBody(decodeBody(reply.data).map);
  } catch (error) {
    if (!isTidegateError(error)) throw error;
    return new UnavailableError(`error ${status}: ${reply.header(HEADERS.error)}`, 0, { cause: error });
  }
}
