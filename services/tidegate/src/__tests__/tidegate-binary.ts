import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type RunningProcess, spawnProcess } from '@tidegate/testing';

const BINARY = fileURLToPath(new URL('../../bin/tidegate.js', import.meta.url));

/** What a finished command left. */
export interface Finished {
  readonly code: number;
  readonly out: string;
  readonly outBytes: Uint8Array;
  readonly err: string;
}

/** Runs a command to its end. */
export function tidegate(words: readonly string[], { env = {}, input }: RunOptions = {}): Promise<Finished> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [BINARY, ...words],
      { env: { ...process.env, ...env }, timeout: 20_000, encoding: 'buffer' },
      (error, out, err) =>
        resolve({
          code: error ? Number(error.code ?? -1) : 0,
          out: out.toString(),
          outBytes: out,
          err: err.toString(),
        }),
    );
    child.stdin?.end(input);
  });
}

interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: Uint8Array;
}

/** The JSON values that a command printed, one a line. */
export function jsonLines({ out }: Finished): readonly unknown[] {
  return out
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

/** Starts a command that goes on and returns once it printed a certain line; `meanwhile` is what brings the line about. */
export async function spawnCommand(
  words: readonly string[],
  readyLine: RegExp,
  meanwhile: () => Promise<unknown> = () => Promise.resolve(),
): Promise<RunningProcess> {
  const [started] = await Promise.all([
    spawnProcess({ command: process.execPath, args: [BINARY, ...words], readyLine, timeoutMs: 20_000 }),
    meanwhile(),
  ]);
  return started;
}

/** Starts `tidegate up` or `run` and returns once it is ready. */
export function startBinary(words: readonly string[]): Promise<RunningProcess> {
  return spawnCommand(words, /^(?:ready (nats:\S+)|\{"ready":"(nats:[^"]+)".*\})$/);
}

/** URL of the ready line. */
export function readyUrl({ ready }: RunningProcess): string {
  return ready[1] ?? ready[2] ?? '';
}
