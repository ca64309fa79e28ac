import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type RunningProcess, spawnProcess } from '@tidegate/testing';

/** The command line program of this checkout. */
export const TIDEGATE_BIN = join(dirname(fileURLToPath(import.meta.url)), '../../../services/tidegate/bin/tidegate.js');

const READY = /ready (nats:\/\/\S+)/;

export interface TidegateProcessOptions {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** Runs `tidegate …` and returns once it printed that it is ready. */
export function spawnTidegate({ args, env, cwd }: TidegateProcessOptions): Promise<RunningProcess> {
  return spawnProcess({
    command: process.execPath,
    args: [TIDEGATE_BIN, ...args],
    readyLine: READY,
    timeoutMs: 30_000,
    ...(env !== undefined && { env }),
    ...(cwd !== undefined && { cwd }),
  });
}

/** Turns `{memory: 1, dataDir: 'x'}` into `--memory 1 --data-dir x`; undefined ones are left out. */
export function commandLine(options: Readonly<Record<string, string | number | undefined>>): string[] {
  const words: string[] = [];
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue;
    words.push(`--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`, String(value));
  }
  return words;
}
