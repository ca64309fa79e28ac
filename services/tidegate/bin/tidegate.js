#!/usr/bin/env node
const NEEDED = 22;
const FAILED = 1;
/** Commands that stay and move payloads. */
const SERVICES = new Set(['up', 'run']);
/**
 * Payloads lie beside V8's heap and are freed by its collections. Left to itself V8 lets them pile up and then runs full
 * collections, which cost a put of 1 MiB more than the put does. So the young generation is small (MiB) and collected by
 * hand every few MiB of payload (see src/launcher/young-generation.ts), and the old one begins with room to spare.
 */
const FLAGS = ['--max-semi-space-size=2', '--initial-old-space-size=64', '--expose-gc'];

function refuse(why) {
  process.stderr.write(`error: ${why}\n`);
  process.exitCode = FAILED;
}

/** Starts this program anew in the same process where the running one has not the flags that services need. */
function giveFlags() {
  const words = process.argv.slice(2);
  const given = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].join(' ');
  if (
    !SERVICES.has(words.find((word) => !word.startsWith('-'))) ||
    FLAGS.every((flag) => given.includes(flag.split('=')[0]))
  )
    return;
  // Since Node.js 22.15, and nowhere on Windows; without it a service only needs more memory.
  if (process.platform === 'win32' || process.execve === undefined) return;
  const { execPath, execArgv, argv, env } = process;
  process.execve(execPath, [execPath, ...FLAGS, ...execArgv, ...argv.slice(1)], env);
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
