#!/usr/bin/env bash
# Prints the path of a nats-server, bringing it into .tools when needed:
#   nats-server.sh newest   2.10 or newer: PATH, .tools, the official release, the Go module, the distribution's package
#   nats-server.sh 2.9.10   exactly that one (the oldest supported): .tools, the distribution's package, the Go module, the release
#   nats-server.sh cli      the `nats` command line client: PATH, .tools, the Go module
# Every attempt fails fast and says what it tried.
set -uo pipefail
cd "$(dirname "$0")/.."
source scripts/env.sh
want=${1:-newest}
RELEASE=${TIDEGATE_NATS_RELEASE:-2.15.2}
MODULE=github.com/nats-io/nats-server/v2
mkdir -p "$TOOLS/bin" "$TOOLS/nats-2.9.10"

version_of() { "$1" --version 2>/dev/null | sed -n 's/.*v\([0-9][0-9.]*\).*/\1/p' | head -1; }
recent() { local v; v=$(version_of "$1"); [ -n "$v" ] && [ "$(printf '%s\n2.10.0\n' "$v" | sort -V | head -1)" = 2.10.0 ]; }

from_release() { # version, target
  command -v curl >/dev/null || { say "  no curl: skipping the official release"; return 1; }
  local arch os base name dir
  os=$(uname -s | tr '[:upper:]' '[:lower:]')
  case $(uname -m) in x86_64 | amd64) arch=amd64 ;; aarch64 | arm64) arch=arm64 ;; *) return 1 ;; esac
  name="nats-server-v$1-$os-$arch"
  base="https://github.com/nats-io/nats-server/releases/download/v$1"
  dir=$(mktemp -d)
  say "  trying the official release $name"
  if curl -fsSL --connect-timeout 5 --max-time 120 -o "$dir/$name.tar.gz" "$base/$name.tar.gz" 2>/dev/null &&
    curl -fsSL --connect-timeout 5 --max-time 20 -o "$dir/SHA256SUMS" "$base/SHA256SUMS" 2>/dev/null &&
    (cd "$dir" && grep " $name.tar.gz\$" SHA256SUMS | sha256sum -c - >/dev/null 2>&1) &&
    tar -xzf "$dir/$name.tar.gz" -C "$dir" && install -m 755 "$dir/$name/nats-server" "$2"; then
    rm -rf "$dir"; return 0
  fi
  rm -rf "$dir"
  say "  not reachable, or its checksum does not match"
  return 1
}

from_go() { # module@version, name of the binary, target
  command -v go >/dev/null || { say "  no Go: skipping go install"; return 1; }
  say "  trying go install $1 (about half a minute)"
  local dir; dir=$(mktemp -d)
  if GOBIN="$dir" GOFLAGS=-mod=mod timeout 300 go install "$1" >"$dir/log" 2>&1 && install -m 755 "$dir/$2" "$3"; then
    rm -rf "$dir"; return 0
  fi
  say "  go install failed: $(tail -1 "$dir/log" 2>/dev/null)"
  rm -rf "$dir"
  return 1
}

from_distribution() { # wanted version prefix, target
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || { say "  no apt-get: skipping the distribution's package"; return 1; }
  say "  trying the distribution's package nats-server"
  local dir; dir=$(mktemp -d)
  (cd "$dir" && { timeout 60 apt-get download nats-server >/dev/null 2>&1 || { [ "$(id -u)" = 0 ] && timeout 90 apt-get update >/dev/null 2>&1 && timeout 60 apt-get download nats-server >/dev/null 2>&1; }; } && dpkg-deb -x nats-server_*.deb unpacked) &&
    case $(version_of "$dir/unpacked/usr/sbin/nats-server" || true) in $1*) install -m 755 "$dir/unpacked/usr/sbin/nats-server" "$2" ;; *) false ;; esac
  local ok=$?
  rm -rf "$dir"
  [ $ok = 0 ] || say "  not to be had, or of another version"
  return $ok
}

case $want in
  newest)
    target="$TOOLS/bin/nats-server"
    [ -n "${TIDEGATE_NATS_SERVER:-}" ] && { echo "$TIDEGATE_NATS_SERVER"; exit 0; }
    [ -x "$target" ] && { echo "$target"; exit 0; }
    onpath=$(command -v nats-server || true)
    [ -n "$onpath" ] && recent "$onpath" && { echo "$onpath"; exit 0; }
    say "bringing a nats-server"
    from_release "$RELEASE" "$target" || from_go "$MODULE@v$RELEASE" nats-server "$target" || from_go "$MODULE@latest" nats-server "$target" || from_distribution "" "$target" ||
      { echo "setup: no nats-server could be had: install one (version 2.9.10 or newer) and put it on PATH" >&2; exit 1; }
    say "nats-server $(version_of "$target") is in .tools/bin"
    ;;
  2.9.10)
    target="$TOOLS/nats-2.9.10/nats-server"
    [ -x "$target" ] && { echo "$target"; exit 0; }
    say "bringing nats-server 2.9.10, the oldest supported"
    from_distribution 2.9.10 "$target" || from_go "$MODULE@v2.9.10" nats-server "$target" || from_release 2.9.10 "$target" || exit 1
    ;;
  cli)
    target="$TOOLS/bin/nats"
    [ -x "$target" ] && { echo "$target"; exit 0; }
    onpath=$(command -v nats || true)
    [ -n "$onpath" ] && { echo "$onpath"; exit 0; }
    say "bringing the nats command line client, for the tests of plain clients"
    from_go github.com/nats-io/natscli/nats@latest nats "$target" || exit 1
    ;;
  *) echo "usage: nats-server.sh newest|2.9.10|cli" >&2; exit 2 ;;
esac
echo "$target"
