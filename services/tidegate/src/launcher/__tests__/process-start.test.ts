import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { until } from '@tidegate/testing';
import { processArguments, processStart } from '../process-start.js';

test('tells one process from another, and none once it has ended', async () => {
  const child = spawn('sleep', ['61']);
  await once(child, 'spawn');
  const pid = child.pid ?? 0;
  const start = processStart(pid);
  expect(start).toMatch(/^\d+$/);
  expect(processStart(pid)).toBe(start);
  expect(processStart(process.pid)).not.toBe(start);
  await until(() => processArguments(pid).join(' ') === 'sleep 61', { what: 'the program to be loaded' });
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(processStart(pid)).toBeUndefined();
  expect(processArguments(pid)).toEqual([]);
});
