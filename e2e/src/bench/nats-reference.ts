/**
 * The reference of the staging figures: plain request/reply of the same bytes between two Node processes. Run as a
 * process of its own it is the responder: `echo.put` takes bytes and answers nothing, `echo.get` answers as many bytes
 * as the request's number says.
 */
import { connect } from 'nats';

const url = process.argv[2];
if (url !== undefined) {
  const connection = await connect({ servers: url, noAsyncTraces: true, name: 'bench-reference' });
  const empty = new Uint8Array();
  let cached = new Uint8Array();
  connection.subscribe('echo.put', { callback: (_error, message) => message.respond(empty) });
  connection.subscribe('echo.get', {
    callback: (_error, message) => {
      const bytes = Number(new TextDecoder().decode(message.data));
      if (cached.length !== bytes) cached = new Uint8Array(bytes).fill(7);
      message.respond(cached);
    },
  });
  await connection.flush();
  console.log('ready');
}
