"""Where ``nebula`` begins: light, so that Ctrl-C while the rest is loaded ends it quietly, too."""

import sys


def main() -> None:
    """Load the commands, and run the one that is asked for."""
    try:
        from nebula.cli.app import main as run  # noqa: PLC0415 - see above

        run()
    except KeyboardInterrupt:
        print("\nnebula: stopped; the same command, given again, goes on from here", file=sys.stderr)
        sys.exit(130)
