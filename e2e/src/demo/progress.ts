import { performance } from 'node:perf_hooks';
import { Presets, SingleBar } from 'cli-progress';

/** How far a simulation has come. */
export interface Standing {
  /** The step that every writer has staged. */
  readonly written: number;
  /** The step that the reader has read. */
  readonly read: number;
  /** Steps staged by all writers and read by the reader, added up. */
  readonly done: number;
}

/** Shows how far a simulation has come. */
export interface Progress {
  update(standing: Standing): void;
  /** Leaves the last state on the screen. */
  stop(): void;
}

export interface ProgressOptions {
  readonly title: string;
  /** The last step. */
  readonly steps: number;
  /** What `done` gets to. */
  readonly total: number;
  readonly stream?: NodeJS.WriteStream;
}

/** Time between two lines where there is no terminal. */
const LINE_MS = 2000;

/** A bar on a terminal, on anything else a line now and then. */
export function openProgress(options: ProgressOptions): Progress {
  const { stream = process.stderr } = options;
  return stream.isTTY ? bar(options, stream) : lines(options, stream);
}

function bar({ title, steps, total }: ProgressOptions, stream: NodeJS.WriteStream): Progress {
  const single = new SingleBar(
    {
      stream,
      hideCursor: true,
      gracefulExit: false,
      linewrap: null,
      barsize: barSize(title, stream.columns),
      fps: 10,
      format: `${title} {bar} {percentage}%  step {written} of ${steps}, read {read}`,
    },
    Presets.shades_classic,
  );
  single.start(total, 0, { written: 0, read: 0 });
  return {
    update: ({ written, read, done }) => single.update(done, { written, read }),
    stop: () => single.stop(),
  };
}

/** What the rest of the line leaves, within reason. */
function barSize(title: string, columns = 80): number {
  return Math.min(30, Math.max(5, columns - title.length - 42));
}

function lines({ title, steps }: ProgressOptions, stream: NodeJS.WriteStream): Progress {
  let shown = '';
  let next = performance.now() + LINE_MS;
  let latest: Standing = { written: 0, read: 0, done: 0 };
  const show = () => {
    const line = `${title}: step ${latest.written} of ${steps}, read ${latest.read}\n`;
    if (line !== shown) stream.write(line);
    shown = line;
  };
  return {
    update(standing) {
      latest = standing;
      if (performance.now() < next) return;
      show();
      next = performance.now() + LINE_MS;
    },
    stop: show,
  };
}
