#!/bin/sh
# Print the path of anvil, the second Ethereum client in the ledger's tests; install it below .venv if it is missing.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
folder=${NEBULA_TOOL_CACHE:-$root/.venv/tools}
version=1.7.1
program=$folder/anvil-$version
if [ ! -x "$program" ]; then
    command -v npm >/dev/null || { echo "npm is missing" >&2; exit 3; }
    # Several test workers may come here at once: each installs into a folder of its own, the program appears whole.
    mkdir -p "$folder"
    own=$(mktemp -d "$folder/anvil.XXXXXX")
    trap 'rm -rf "$own"' EXIT
    npm install --no-save --no-audit --no-fund --silent --prefix "$own" "@foundry-rs/anvil-linux-amd64@$version" >&2
    mv "$own/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil" "$program"
fi
echo "$program"
