"""``python -m nebula.cli`` is ``nebula``."""

from nebula.cli.entry import main

main()
