#!/usr/bin/env node
const NEEDED = 22;
const FAILED = 1;
/** Commands that stay and move payloads. */
const SERVICES = new Set(['up', 'run']);
/**
 * MiB. Payloads lie beside V8's heap and are freed by its collections. With the young generation that V8 grows to by
 * itself, full collections do that: late, so that resident memory climbs by half, and for twice the CPU. With a small one
 * the quick collections do.
 */
const YOUNG = ['--max-semi-space-size', 2];

function refuse(why) {
  process.stderr.write(`error: ${why}\n`);
  process.exitCode = FAILED;
}

/** Starts this program anew in the same process where the running one has not the flags that services need. */
function giveFlags() {
  const words = process.argv.slice(2);
  const given = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].join(' ');
  if (!SERVICES.has(words.find((word) => !word.startsWith('-'))) || given.includes(YOUNG[0])) return;
  // Since Node.js 22.15, and nowhere on Windows; without it a service only needs more memory.
  if (process.platform === 'win32' || process.execve === undefined) return;
  const { execPath, execArgv, argv, env } = process;
  process.execve(execPath, [execPath, ...execArgv, YOUNG.join('='), ...argv.slice(1)], env);
}

async function run() {
  giveFlags();
  const compiled = new URL('../dist/main.js', import.meta.url);
  const { existsSync } = await import('node:fs');
  if (!existsSync(compiled)) return refuse('tidegate is not compiled: run "make build" in the checkout');
  const { main } = await import(compiled.href);
  const code = await main(process.argv.slice(2));
  // Nothing that a connection left behind may keep a finished command from ending.
  process.stdout.write('', () => process.exit(code));
}

if (Number(process.versions.node.split('.')[0]) >= NEEDED) await run();
else refuse(`tidegate needs Node.js ${NEEDED} or newer, this is ${process.version}`);
