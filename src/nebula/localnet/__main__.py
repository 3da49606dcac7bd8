"""``python -m nebula.localnet FOLDER``: the supervisor of a network."""

import sys
from pathlib import Path

from nebula.localnet.processes import supervise

supervise(Path(sys.argv[1]))
