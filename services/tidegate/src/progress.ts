import { Presets, SingleBar } from 'cli-progress';
import { formatBytes } from './format/bytes.js';

/** A transfer that takes no longer than this shows no bar. */
const PATIENCE_MS = 1000;

/** The progress of one transfer. */
export interface Progress {
  /** Bytes so far. */
  update(bytes: number): void;
  /** Takes the bar away. */
  stop(): void;
}

/** A bar on standard error for a transfer of `total` bytes; on anything but a terminal it stays silent. */
export function transferProgress(title: string, total: number, stream: NodeJS.WriteStream = process.stderr): Progress {
  if (!stream.isTTY) return { update() {}, stop() {} };
  const start = performance.now();
  const bar = new SingleBar(
    {
      stream,
      clearOnComplete: true,
      hideCursor: true,
      gracefulExit: true,
      format: `${title} {bar} {percentage}%  {done} of {all}  {eta_formatted} left`,
    },
    Presets.shades_classic,
  );
  const all = formatBytes(total);
  return {
    update(bytes) {
      const payload = { done: formatBytes(bytes), all };
      if (bar.isActive) bar.update(bytes, payload);
      else if (performance.now() - start > PATIENCE_MS && bytes < total) bar.start(total, bytes, payload);
    },
    stop() {
      if (bar.isActive) bar.stop();
    },
  };
}
