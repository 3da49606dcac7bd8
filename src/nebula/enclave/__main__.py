"""``python -m nebula.enclave [--device FOLDER]``: one worker, one run, then the end.

Frames go in by standard input and out by standard output; see :mod:`nebula.protocol.worker`.
"""

import argparse
import os
import sys
import traceback
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO

from nebula.attestation.quoting import DEVICE_FOLDER, open_quoter
from nebula.enclave.host_pipe import PipeHost
from nebula.enclave.run import Surroundings, run_order
from nebula.protocol.errors import NebulaError
from nebula.protocol.messages import ErrorAnswer, RunOrder
from nebula.protocol.wire import parser, to_canonical
from nebula.protocol.worker import MAX_TO_WORKER_BYTES, Failed, Finished, Owners, write_frame
from nebula.storage.reading import open_for_reading

_parse_order = parser(RunOrder, max_bytes=MAX_TO_WORKER_BYTES)


def main(arguments: list[str] | None = None) -> int:
    """Run the worker and return its exit status: 0 when an output or an error has left."""
    command = argparse.ArgumentParser(prog="python -m nebula.enclave")
    command.add_argument("--device", type=Path, default=DEVICE_FOLDER, help="the CPU's attestation files")
    device: Path = command.parse_args(arguments).device
    # Whatever a library prints goes to standard error: the pipe is for frames alone.
    with os.fdopen(os.dup(1), "wb") as outgoing:
        os.dup2(2, 1)
        try:
            work(sys.stdin.buffer, outgoing, device)
        except OSError:
            return 1  # the host has closed its end: there is nobody to tell
    return 0


def work(incoming: BinaryIO, outgoing: BinaryIO, device: Path) -> None:
    """Do one run between two open files."""
    host = PipeHost(incoming, outgoing)
    try:
        start, raw_order = host.await_start()
        around = Surroundings(host, open_quoter(device), open_for_reading, partial(datetime.now, UTC))
        output = run_order(start, _parse_order(raw_order), around)
    except NebulaError as error:
        write_frame(outgoing, Failed(error=ErrorAnswer.of(error)))
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001
        # SECURITY: a message could hold what a record says; type and place cannot.
        place = traceback.extract_tb(error.__traceback__)[-1]
        sys.stderr.write(f"bug: {type(error).__name__} at {place.filename}:{place.lineno}\n")
        answer = ErrorAnswer(family="bug", code="bug", message=f"the worker failed with {type(error).__name__}")
        write_frame(outgoing, Failed(error=answer))
    else:
        for page in output.pages():
            write_frame(outgoing, Owners(), to_canonical(page))
        write_frame(outgoing, Finished(), to_canonical(output.head))


if __name__ == "__main__":
    sys.exit(main())
