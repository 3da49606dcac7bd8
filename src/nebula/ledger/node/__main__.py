"""``python -m nebula.ledger.node serve|check --database FILE``: the node without the rest of the command line."""

import argparse
import sys
from pathlib import Path

from nebula.ledger.node import Genesis, LedgerSettings, check, parse_genesis, serve
from nebula.protocol.errors import NebulaError


def main(arguments: list[str]) -> int:
    """Run the command and return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m nebula.ledger.node")
    parser.add_argument("command", choices=("serve", "check"))
    parser.add_argument("--database", type=Path, required=True)
    parser.add_argument("--genesis", type=Path)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8545)
    given = parser.parse_args(arguments)
    try:
        if given.command == "check":
            report = check(given.database)
            print(report)  # noqa: T201  # the command's result
            return 0 if report.sound else 5
        genesis = parse_genesis(given.genesis.read_bytes()) if given.genesis else Genesis()
        serve(LedgerSettings(given.database, host=given.host, port=given.port, genesis=genesis))
    except NebulaError as error:
        print(f"nebula: error: {error}", file=sys.stderr)  # noqa: T201
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
