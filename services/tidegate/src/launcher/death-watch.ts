import { spawn } from 'node:child_process';

/** A watch over this process's end. */
export interface DeathWatch {
  /** Ends the watch, and lets the process that it was kept for be. */
  stop(): void;
}

// `read` meets the end of the pipe when the last process that holds its other end is gone, however that came about.
const SCRIPT = 'while read -r line; do :; done; kill -TERM "$0"';

/**
 * Sees to it that `pid` is told to end when this process is gone, by SIGKILL too: a child of its own would live on.
 */
export function watchOver(pid: number): DeathWatch {
  const watch = spawn('/bin/sh', ['-c', SCRIPT, String(pid)], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  // A system without a shell does without the watch: what is left behind is found at the next start.
  watch.on('error', () => {});
  watch.stdin.on('error', () => {});
  watch.unref();
  (watch.stdin as { unref?: () => void }).unref?.();
  return {
    stop() {
      watch.kill('SIGKILL');
      watch.stdin.destroy();
    },
  };
}
