"""``python -m nebula.cli`` is ``nebula``."""

from nebula.cli.app import main

main()
