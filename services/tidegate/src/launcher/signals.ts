const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;
/** Whatever holds a stop up, the process ends within this time. */
const STOP_LIMIT_MS = 9800;

export interface StopOptions {
  /** Called at the first signal. */
  readonly onStopping: () => void;
}

/**
 * Runs a service until SIGINT or SIGTERM, then stops it; a signal while it starts gives the start up. A second signal
 * ends the process at once.
 *
 * @returns once it has stopped
 * @throws what `start` throws, unless that is the consequence of a signal
 */
export async function runUntilSignal(
  start: (signal: AbortSignal) => Promise<{ stop(): Promise<void> }>,
  { onStopping }: StopOptions,
): Promise<void> {
  const controller = new AbortController();
  const { signal } = controller;
  let limit: NodeJS.Timeout | undefined;
  const onSignal = (name: (typeof SIGNALS)[number]): void => {
    if (signal.aborted) process.exit(EXIT_CODES[name]);
    onStopping();
    limit = setTimeout(() => process.exit(1), STOP_LIMIT_MS).unref();
    controller.abort(new Error(`told to stop by ${name}`));
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  try {
    const running = await start(signal);
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    await running.stop();
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    clearTimeout(limit);
    for (const name of SIGNALS) process.removeListener(name, onSignal);
  }
}
