import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Deployment, startDeployment } from '../../tests/deployment.js';
import { underLoad } from '../put-load.js';

let deployment: Deployment;

beforeAll(async () => {
  deployment = await startDeployment({ raw: 2, meta: 2 });
});
afterAll(() => deployment?.stop());

test('the nats-server is killed and started again under load: nothing acknowledged is lost', async () => {
  await underLoad(deployment.url, 'broker', async (load) => {
    await load.progress(30);
    for (let turn = 0; turn < 2; turn++) {
      await deployment.nats.restart();
      await load.progress(30);
    }
    expect(await load.finish()).toBeGreaterThanOrEqual(4 * 90);
    await load.verify();
  });
}, 60_000);
