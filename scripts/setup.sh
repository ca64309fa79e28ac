#!/usr/bin/env bash
# Brings what a checkout needs, into folders of the checkout: Node 24 when the one on PATH is older than 22, the npm
# packages, the compiled output, and a nats-server. Says what it does; does nothing that is done already.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/env.sh

command -v npm >/dev/null || { echo "setup: npm is needed (it comes with Node.js, version 20 or newer)" >&2; exit 1; }
if [ "$(node_major node)" -lt 22 ]; then
  say "Node $(node --version 2>/dev/null || echo '(none)') is too old: installing Node 24 into .tools"
  npm install --prefix "$TOOLS" --no-save --no-package-lock --loglevel error node@24 >&2
  hash -r
  [ "$(node_major node)" -ge 22 ] || { echo "setup: could not bring Node 24: try 'npm install --prefix .tools node@24'" >&2; exit 1; }
fi

stamp=node_modules/.tidegate-setup
want=$(cat package-lock.json package.json libs/*/package.json services/*/package.json e2e/package.json | cksum)
if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$want" ]; then
  say "installing npm packages ($(node --version))"
  npm ci --loglevel error >&2
  echo "$want" >"$stamp"
fi

bash scripts/nats-server.sh newest >/dev/null
if [ "${1:-}" = "--build" ]; then
  say "compiling"
  node_modules/.bin/tsc -b
fi
