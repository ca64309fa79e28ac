# Sourced by the other scripts: where the tools of this checkout are.
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
TOOLS="$ROOT/.tools"
export PATH="$TOOLS/bin:$TOOLS/node_modules/node/bin:$PATH"
say() { printf '\033[2m[setup]\033[0m %s\n' "$*" >&2; }
node_major() { "$1" -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0; }
