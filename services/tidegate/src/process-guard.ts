import { spawn } from 'node:child_process';

/** Ends process groups when this process is gone, by SIGKILL too: they would live on. */
export interface ProcessGuard {
  /** Watches over a group from now on. */
  add(group: number): void;
  /** The group has ended. */
  remove(group: number): void;
  /** Lets the groups be. */
  stop(): void;
}

// Numbers of groups come with `+` and go with `-`. `read` meets the end of the pipe when this process is gone.
const SCRIPT = `
groups=
while read -r change group; do
  rest=
  for each in $groups; do [ "$each" = "$group" ] || rest="$rest $each"; done
  groups=$rest
  [ "$change" = - ] || groups="$groups $group"
done
[ -n "$groups" ] || exit 0
for each in $groups; do kill -s TERM -- "-$each"; done
sleep 2
for each in $groups; do kill -s KILL -- "-$each"; done
`;

/** Starts a guard, in time for the groups that are started later. */
export function startProcessGuard(): ProcessGuard {
  const guard = spawn('/bin/sh', ['-c', SCRIPT], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  // A system without a shell does without the guard.
  guard.on('error', () => {});
  guard.stdin.on('error', () => {});
  guard.unref();
  (guard.stdin as { unref?: () => void }).unref?.();
  return {
    add: (group) => void guard.stdin.write(`+ ${group}\n`),
    remove: (group) => void guard.stdin.write(`- ${group}\n`),
    stop() {
      guard.kill('SIGKILL');
      guard.stdin.destroy();
    },
  };
}
