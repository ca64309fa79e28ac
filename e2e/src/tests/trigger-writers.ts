import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { WriterFloor, WriterProgress, WriterTask } from './trigger-writer.js';

const PROGRAM = fileURLToPath(new URL('./trigger-writer.js', import.meta.url));

/**
 * Puts all steps of a wandering field by writers in processes of their own, none far ahead of the slowest.
 *
 * @throws Error with what a process said where it fails
 */
export async function writeField(task: Omit<WriterTask, 'own'> & { readonly processes: number }): Promise<void> {
  const { processes, ...rest } = task;
  const done = Array.from({ length: task.writers }, () => new Set<number>());
  const floors = done.map(() => 0);
  let floor = 0;
  const children = Array.from({ length: processes }, (_, at) => {
    const own = done.map((_, writer) => writer).filter((writer) => writer % processes === at);
    return fork(PROGRAM, [JSON.stringify({ ...rest, own } satisfies WriterTask)], {
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    });
  });
  const advance = ({ writer, done: step }: WriterProgress): void => {
    const steps = done[writer];
    if (steps === undefined) return;
    steps.add(step);
    let lowest = floors[writer] ?? 0;
    while (steps.delete(lowest)) lowest++;
    floors[writer] = lowest;
    const least = Math.min(...floors);
    if (least === floor) return;
    floor = least;
    for (const child of children) if (child.connected) child.send({ floor } satisfies WriterFloor);
  };
  const ended = children.map(
    (child) =>
      new Promise<void>((resolve, reject) => {
        let complaints = '';
        child.stderr?.on('data', (chunk: Buffer) => {
          complaints = (complaints + chunk.toString()).slice(-8192);
        });
        child.on('message', (message) => advance(message as WriterProgress));
        child.on('error', reject);
        child.on('close', (code) => {
          if (code === 0) resolve();
          else reject(new Error(`a writer ended with code ${code}:\n${complaints}`));
        });
      }),
  );
  try {
    await Promise.all(ended);
  } finally {
    for (const child of children) child.kill('SIGKILL');
  }
}
