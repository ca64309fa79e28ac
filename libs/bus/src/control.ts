import { decodeBody, encodeBody, parseRequest } from '@tidegate/protocol';
import type { Handler, Incoming } from './endpoint.js';

type Schema = Parameters<typeof parseRequest>[0];
const FIRST_OF_JSON = 0x7b;

/**
 * Makes a handler of control requests: decodes the body, checks it against the schema, and encodes what `answer`
 * returns as the request was encoded. Errors are answered in that encoding, too.
 */
export function controlHandler<S extends Schema>(
  schema: S,
  answer: (request: ReturnType<typeof parseRequest<S>>, incoming: Incoming) => unknown,
): Handler {
  return async (incoming) => {
    const { data } = incoming;
    // Known before the body is decoded, so that a refusal of a broken body is readable as well.
    incoming.encoding = data.length === 0 || data[0] === FIRST_OF_JSON ? 'json' : 'msgpack';
    const { map, encoding } = decodeBody(data);
    const reply = await answer(parseRequest(schema, map), incoming);
    return { data: encodeBody(reply, encoding) };
  };
}
