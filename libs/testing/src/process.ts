import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';

/** What to start. */
export interface ProcessOptions {
  readonly command: string;
  readonly args?: readonly string[];
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** The line on standard output that says that it is ready. */
  readonly readyLine: RegExp;
  /** How long to wait for it; default 30,000. */
  readonly timeoutMs?: number;
}

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A child process that said that it is ready. */
export interface RunningProcess {
  readonly pid: number;
  /** The ready line, matched. */
  readonly ready: RegExpExecArray;
  /** Lines of standard output so far (the last 10,000). */
  readonly lines: readonly string[];
  /** The last 64 KiB of standard error. */
  errorOutput(): string;
  /** Sends a signal and returns at once. */
  kill(signal?: NodeJS.Signals): void;
  waitExit(): Promise<Exit>;
  /** Resident memory in bytes (Linux). */
  rss(): Promise<number>;
}

const MAX_LINES = 10_000;
const MAX_ERROR_OUTPUT = 65_536;
const running = new Set<() => void>();
process.on('exit', () => {
  for (const kill of running) kill();
});

/**
 * Starts a process and returns once it printed its ready line.
 *
 * @throws Error with the process's standard error where it ends first or stays silent
 */
export async function spawnProcess(options: ProcessOptions): Promise<RunningProcess> {
  const { command, args = [], env = {}, cwd, readyLine, timeoutMs = 30_000 } = options;
  const child = spawn(command, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd !== undefined && { cwd }),
  });
  const kill = (): void => {
    child.kill('SIGKILL');
  };
  running.add(kill);
  const exit = new Promise<Exit>((resolve) => {
    child.once('close', (code, signal) => {
      running.delete(kill);
      resolve({ code, signal });
    });
  });
  let errorOutput = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errorOutput = (errorOutput + chunk.toString()).slice(-MAX_ERROR_OUTPUT);
  });

  const lines: string[] = [];
  const title = [command, ...args].join(' ');
  const ready = await new Promise<RegExpExecArray>((resolve, reject) => {
    const fail = (what: string, cause?: unknown): void => {
      clearTimeout(timer);
      kill();
      reject(new Error(`${title} ${what}; its standard error:\n${errorOutput}`, { cause }));
    };
    const timer = setTimeout(() => fail(`printed no ${readyLine} in ${timeoutMs} ms`), timeoutMs);
    child.once('error', (error) => fail('did not start', error));
    child.once('close', (code, signal) => fail(`ended with ${code ?? signal} before it was ready`));
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line);
      if (lines.length > MAX_LINES) lines.shift();
      const match = readyLine.exec(line);
      if (match) {
        clearTimeout(timer);
        resolve(match);
      }
    });
  });

  const pid = child.pid ?? 0;
  return {
    pid,
    ready,
    lines,
    errorOutput: () => errorOutput,
    kill: (signal = 'SIGTERM') => {
      child.kill(signal);
    },
    waitExit: () => exit,
    async rss() {
      const status = await readFile(`/proc/${pid}/status`, 'utf8');
      return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
    },
  };
}
