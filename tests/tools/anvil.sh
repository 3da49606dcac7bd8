#!/bin/sh
# Print the path of anvil, the second Ethereum client in the ledger's tests; install it below .venv if it is missing.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
folder=${NEBULA_TOOL_CACHE:-$root/.venv/tools}/anvil
program=$folder/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil
if [ ! -x "$program" ]; then
    command -v npm >/dev/null || { echo "npm is missing" >&2; exit 3; }
    mkdir -p "$folder"
    npm install --no-save --no-audit --no-fund --silent --prefix "$folder" @foundry-rs/anvil-linux-amd64@1.7.1 >&2
fi
echo "$program"
