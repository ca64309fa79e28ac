import type { TriggerScope } from './trigger-schema.js';

/** True where `pattern`, in which `*` stands for any characters, matches the whole name of a run. */
export function matchesRun(pattern: string, run: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return pattern === run;
  if (run.length < first.length + last.length || !run.startsWith(first) || !run.endsWith(last)) return false;
  let from = first.length;
  const to = run.length - last.length;
  for (const part of rest) {
    const found = run.indexOf(part, from);
    if (found < 0 || found + part.length > to) return false;
    from = found + part.length;
  }
  return true;
}

/** True where a trigger decides this step of this run. */
export function appliesTo(scope: Pick<TriggerScope, 'run' | 'every'>, run: string, step: number): boolean {
  return step % scope.every === 0 && matchesRun(scope.run, run);
}
