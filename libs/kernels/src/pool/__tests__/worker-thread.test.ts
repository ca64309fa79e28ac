import { afterEach, expect, test } from '@jest/globals';
import { WorkerThread } from '../worker-thread.js';

const threads: WorkerThread[] = [];
afterEach(async () => {
  await Promise.all(threads.splice(0).map((thread) => thread.terminate()));
});

/** Starts a worker that does `code` with each `task`; resolves when it is ready, or when it ends before. */
function start(code: string, prelude = ''): Promise<{ thread: WorkerThread; exits: () => number }> {
  const script = `import { parentPort } from 'node:worker_threads'; ${prelude}
    parentPort.on('message', (task) => { ${code} });
    parentPort.postMessage({ kind: 'ready' });`;
  let exits = 0;
  return new Promise((resolve) => {
    const thread: WorkerThread = new WorkerThread(new URL(`data:text/javascript,${encodeURIComponent(script)}`), {
      onReady: () => resolve({ thread, exits: () => exits }),
      onExit: () => {
        exits++;
        resolve({ thread, exits: () => exits });
      },
    });
    threads.push(thread);
  });
}

test('tasks run one after the other, and tell when they start', async () => {
  const { thread } = await start(
    `parentPort.postMessage({ kind: 'started' }); parentPort.postMessage({ kind: 'result', result: task * 2 });`,
  );
  let begun = 0;
  expect(await thread.run(4, { started: () => begun++ })).toBe(8);
  expect(await thread.run(5)).toBe(10);
  expect([begun, thread.wasReady, thread.problem]).toEqual([1, true, undefined]);
});

test('errors come back as what they were', async () => {
  const body = { code: 'BAD_REQUEST', message: 'no', retryable: false, field: 'piece' };
  const { thread } = await start(`parentPort.postMessage({ kind: 'error', error: ${JSON.stringify(body)} });`);
  await expect(thread.run(1)).rejects.toMatchObject({ code: 'BAD_REQUEST', field: 'piece' });
});

test('a task whose worker ends is unavailable', async () => {
  const crash = await start(`throw new Error('a bug');`);
  await expect(crash.thread.run(1)).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: 'a kernel worker ended: a bug',
  });
  expect([crash.exits(), crash.thread.problem]).toEqual([1, 'a bug']);
  const endless = await start('for (;;);');
  const task = endless.thread.run(1);
  const outcome = expect(task).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: 'a kernel worker ended: stopped',
  });
  await endless.thread.terminate();
  await outcome;
});

test('one that does not start says so', async () => {
  const { thread, exits } = await start('', `throw new Error('not today');`);
  expect([exits(), thread.wasReady, thread.problem]).toEqual([1, false, 'not today']);
});
