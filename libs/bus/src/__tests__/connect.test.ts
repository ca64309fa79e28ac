import { describe, expect, it } from '@jest/globals';
import { ForbiddenError, UnavailableError } from '@tidegate/protocol';
import { freePort, startNatsServer } from '@tidegate/testing';
import { connectBus } from '../connect.js';

/** A pair of keys for this test alone. */
const SEED = 'SUAFAUJI7332RZXSSBBIUHX7RYGJIIIVMRSNEIKIYDK2SWRRJ3S7WDOKSA';
const PUBLIC_KEY = 'UCEJTQIFRV355MBJLYWVWVI6VRUVVMRCVJEHGEPPGTBKH6PHTJTO5656';

describe('connectBus', () => {
  it('names the URL where nobody answers, without its password', async () => {
    const port = await freePort();
    const failure = connectBus({ servers: `nats://me:hidden@127.0.0.1:${port}`, name: 'x' });
    await expect(failure).rejects.toThrow(UnavailableError);
    await expect(failure).rejects.toThrow(`nats://127.0.0.1:${port}`);
    await expect(failure).rejects.not.toThrow(/hidden/);
  });

  it('connects with a user, a token and a seed, and is told where they are refused', async () => {
    const users = await startNatsServer({ config: 'authorization { user: u, password: p }' });
    const right = await connectBus({ servers: users.url, name: 'x', user: 'u', pass: 'p' });
    await right.flush();
    await right.close();
    expect(await right.closed).toBeUndefined();
    await expect(connectBus({ servers: users.url, name: 'x', user: 'u', pass: 'wrong' })).rejects.toThrow(
      ForbiddenError,
    );
    await users.stop();

    const token = await startNatsServer({ config: 'authorization { token: t }' });
    await (await connectBus({ servers: [token.url], name: 'x', token: 't' })).close();
    await token.stop();

    const keys = await startNatsServer({ config: `authorization { users: [{ nkey: ${PUBLIC_KEY} }] }` });
    await (await connectBus({ servers: keys.url, name: 'x', nkeySeed: SEED })).close();
    await keys.stop();
  });
});
