/**
 * A signal that aborts at the first SIGINT or SIGTERM, for a command that goes on until it is told to stop; a second one
 * ends the process at once.
 */
export function untilInterrupted(): { readonly signal: AbortSignal; dispose(): void } {
  const controller = new AbortController();
  const names = ['SIGINT', 'SIGTERM'] as const;
  const abort = (): void => {
    dispose();
    controller.abort();
  };
  const dispose = (): void => {
    for (const name of names) process.removeListener(name, abort);
  };
  for (const name of names) process.on(name, abort);
  return { signal: controller.signal, dispose };
}
