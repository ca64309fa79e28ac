#!/usr/bin/env node
const NEEDED = 22;
const FAILED = 1;

function refuse(why) {
  process.stderr.write(`error: ${why}\n`);
  process.exitCode = FAILED;
}

async function run() {
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
