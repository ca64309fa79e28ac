import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { TIDEGATE_BIN } from './tidegate-process.js';

/** Path of the `nats` command line client: `TIDEGATE_NATS_CLI`, else the one in `.tools`; undefined where there is none. */
export function natsCliBinary(): string | undefined {
  const tools = join(TIDEGATE_BIN, '../../../../.tools/bin/nats');
  return [process.env['TIDEGATE_NATS_CLI'] ?? '', tools].find((path) => path !== '' && existsSync(path));
}

export interface CliOutcome {
  readonly code: number;
  readonly output: Buffer;
  readonly errorOutput: string;
}

/** Runs the client with the payload, if any, on its standard input. Without one the input is at its end at once. */
export function runNatsCli(
  binary: string,
  args: readonly string[],
  input?: Uint8Array,
  timeoutMs = 15_000,
): Promise<CliOutcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(binary, [...args], { timeout: timeoutMs, env: { ...process.env, HOME: '/nonexistent' } });
    const output: Buffer[] = [];
    let errorOutput = '';
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => {
      errorOutput += chunk.toString();
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? -1, output: Buffer.concat(output), errorOutput }));
    child.stdin.end(input ?? '');
  });
}
