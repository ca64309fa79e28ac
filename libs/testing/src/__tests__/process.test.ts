import { describe, expect, it } from '@jest/globals';
import { spawnProcess } from '../process.js';

const node = (script: string, rest: Partial<Parameters<typeof spawnProcess>[0]> = {}) =>
  spawnProcess({ command: process.execPath, args: ['-e', script], readyLine: /^ready (\d+)$/, ...rest });

describe('spawnProcess', () => {
  it('returns at the ready line, and follows the process to its end', async () => {
    const child = await node('console.log("hello"); console.log("ready 42"); setInterval(() => {}, 1000)', {
      env: { X: '1' },
    });
    expect(child.ready[1]).toBe('42');
    expect(child.lines).toEqual(['hello', 'ready 42']);
    expect(await child.rss()).toBeGreaterThan(1 << 20);
    child.kill('SIGKILL');
    expect(await child.waitExit()).toEqual({ code: null, signal: 'SIGKILL' });
  });

  it('passes the environment, and tells the exit code', async () => {
    const child = await node('console.log("ready " + process.env.N); process.exitCode = 3', { env: { N: '7' } });
    expect(child.ready[1]).toBe('7');
    expect(await child.waitExit()).toEqual({ code: 3, signal: null });
  });

  it('fails with the standard error of a process that ends or stays silent', async () => {
    await expect(node('console.error("the reason"); process.exit(1)')).rejects.toThrow(/ended with 1.*the reason/s);
    await expect(node('setInterval(() => {}, 1000)', { timeoutMs: 300 })).rejects.toThrow(/printed no/);
    await expect(spawnProcess({ command: '/nowhere/tidegate', readyLine: /x/ })).rejects.toThrow(/did not start/);
  });
});
