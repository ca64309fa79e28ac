import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { freePort } from '../free-port.js';
import { startNatsServer } from '../nats-server.js';
import { until } from '../until.js';

/** The INFO that a server greets with. */
function greeting(port: number): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', reject);
    socket.once('data', (chunk) => {
      socket.destroy();
      resolve(JSON.parse(chunk.toString().slice(5)));
    });
  });
}

describe('startNatsServer', () => {
  it('starts on a free port with JetStream, comes back on the same one, and leaves nothing behind', async () => {
    const server = await startNatsServer({ maxPayload: 12_345 });
    expect(server.url).toBe(`nats://127.0.0.1:${server.port}`);
    expect(await greeting(server.port)).toMatchObject({ jetstream: true, max_payload: 12_345 });
    const { pid } = server;
    await server.kill('SIGKILL');
    await expect(greeting(server.port)).rejects.toThrow(/ECONNREFUSED/);
    await server.restart();
    expect(server.pid).not.toBe(pid);
    expect(await greeting(server.port)).toMatchObject({ jetstream: true });
    await server.stop();
    expect(existsSync(dirname(server.storeDir))).toBe(false);
    await until(() =>
      greeting(server.port).then(
        () => false,
        () => true,
      ),
    );
  });

  it('takes a port, and stops a paused server', async () => {
    const port = await freePort();
    const server = await startNatsServer({ port });
    expect(server.port).toBe(port);
    await server.kill('SIGSTOP');
    await server.stop();
  });

  it('shows the log of a server that does not start', async () => {
    await expect(startNatsServer({ config: 'nonsense: [' })).rejects.toThrow(/did not start; its log:.*error/is);
    await expect(startNatsServer({ version: '/nowhere/nats-server' })).rejects.toThrow(/ENOENT/);
  });
});
