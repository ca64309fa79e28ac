/**
 * Polls a condition until it holds, quickly at first and every 25 ms later.
 *
 * @returns the condition's first value that is neither `false` nor `undefined`
 * @throws Error naming `what` after `timeoutMs` (default 10,000); the condition's last failure is its cause
 */
export async function until<T>(
  condition: () => T | false | undefined | Promise<T | false | undefined>,
  { timeoutMs = 10_000, what = 'the condition' }: { timeoutMs?: number; what?: string } = {},
): Promise<T> {
  const start = performance.now();
  let pause = 1;
  let failure: unknown;
  for (;;) {
    try {
      const value = await condition();
      if (value !== false && value !== undefined) return value;
      failure = undefined;
    } catch (error) {
      failure = error;
    }
    if (performance.now() - start > timeoutMs) {
      throw new Error(`waited ${timeoutMs} ms in vain for ${what}`, { cause: failure });
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
    pause = Math.min(pause * 2, 25);
  }
}
