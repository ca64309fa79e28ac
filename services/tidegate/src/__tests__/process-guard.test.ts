import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, expect, test } from '@jest/globals';
import { spawnProcess, until } from '@tidegate/testing';
import { processStart } from '../launcher/process-start.js';

const GUARD = new URL('../process-guard.js', import.meta.url).href;
const groups: ChildProcess[] = [];
afterEach(() => {
  for (const group of groups.splice(0)) group.kill('SIGKILL');
});

async function sleeper(): Promise<number> {
  const group = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
  groups.push(group);
  await once(group, 'spawn');
  return group.pid ?? 0;
}

const runs = (pid: number): boolean => processStart(pid) !== undefined;

/** A process that does something with a guard and then waits. */
function guarding(script: string) {
  const code = `import { startProcessGuard } from '${GUARD}';
    const guard = startProcessGuard();
    ${script}
    console.log('ready');
    setInterval(() => {}, 1000);`;
  return spawnProcess({ command: process.execPath, args: ['--input-type=module', '-e', code], readyLine: /^ready$/ });
}

test('ends the groups that it still watches over when the process is gone, and no other', async () => {
  const pids = await Promise.all([sleeper(), sleeper(), sleeper()]);
  const [first = 0, second = 0, third = 0] = pids;
  const guarded = await guarding(`for (const pid of ${JSON.stringify(pids)}) guard.add(pid); guard.remove(${second});`);
  expect(pids.every(runs)).toBe(true);
  guarded.kill('SIGKILL');
  await until(() => !runs(first) && !runs(third), { what: 'the watched ones to be gone' });
  expect(runs(second)).toBe(true);
});

test('lets them be once it is stopped', async () => {
  const pid = await sleeper();
  const other = await sleeper();
  const stopped = await guarding(`guard.add(${pid}); guard.stop();`);
  const watching = await guarding(`guard.add(${other});`);
  stopped.kill('SIGKILL');
  await stopped.waitExit();
  // The one that is not stopped ends its own at the same time at the earliest.
  watching.kill('SIGKILL');
  await until(() => !runs(other));
  expect(runs(pid)).toBe(true);
});
