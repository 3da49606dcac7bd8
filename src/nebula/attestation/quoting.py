"""Ask the CPU for a quote, from inside the enclave.

Gramine shows the CPU as files: write 64 bytes to ``user_report_data``, read ``quote``. Simulated hardware stands at
the same place, as a folder with a socket in it. The worker is given a folder and cannot tell more: which one it was
comes out at the keepers, by the trust root.
"""

import os
import socket
from pathlib import Path
from typing import Final, Protocol

from nebula.protocol.errors import RejectedInputError, UnavailableError

DEVICE_FOLDER = Path("/dev/attestation")
SOCKET_NAME = "quote.sock"
REPORT_DATA_BYTES: Final = 64
MAX_QUOTE_BYTES: Final = 20_000
_TIMEOUT_SECONDS = 30.0


class Quoter(Protocol):
    """Something that has the CPU sign."""

    def get_quote(self, report_data: bytes) -> bytes:
        """Return a quote over 64 bytes.

        Raises:
            UnavailableError: the CPU, or its quoting service, does not answer.
        """
        ...


def open_quoter(folder: Path = DEVICE_FOLDER) -> Quoter:
    """Return the quoter that stands at a folder.

    Raises:
        UnavailableError: nothing there can quote.
    """
    if (folder / SOCKET_NAME).is_socket():
        return SimulatedQuotingDevice(folder)
    return GramineQuoter(folder)


class GramineQuoter:
    """The CPU, as Gramine shows it."""

    def __init__(self, folder: Path = DEVICE_FOLDER) -> None:
        """Take the folder of Gramine's attestation files."""
        self._folder = folder
        try:
            kind = (folder / "attestation_type").read_text("ascii").strip()
        except OSError as error:
            raise UnavailableError(
                "quoting.absent",
                f"there is no attestation device at {folder}",
                hint="start the worker under gramine-sgx, or give it a simulated device",
            ) from error
        if kind != "dcap":
            raise UnavailableError("quoting.kind", f"the attestation device speaks '{kind}', not DCAP")

    def get_quote(self, report_data: bytes) -> bytes:
        """Return a quote over 64 bytes."""
        _require_length(report_data)
        try:
            (self._folder / "user_report_data").write_bytes(report_data)
            return _require_quote((self._folder / "quote").read_bytes())
        except OSError as error:
            raise UnavailableError("quoting.failed", f"the CPU does not quote: {error}") from error


class SimulatedQuotingDevice:
    """Simulated hardware: another process behind a socket, which measures the code by itself."""

    def __init__(self, folder: Path) -> None:
        """Take the folder that the simulator serves."""
        self._folder = folder

    def get_quote(self, report_data: bytes) -> bytes:
        """Return a quote over 64 bytes."""
        _require_length(report_data)
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(_TIMEOUT_SECONDS)
                connect_in(self._folder, connection)
                connection.sendall(report_data)
                connection.shutdown(socket.SHUT_WR)
                with connection.makefile("rb") as answer:
                    return _require_quote(answer.read(MAX_QUOTE_BYTES + 1))
        except OSError as error:
            raise UnavailableError(
                "quoting.failed",
                f"the simulated CPU at {self._folder} does not quote: {error}",
                hint="start it with `python -m nebula.attestation.simulator serve`",
            ) from error


def connect_in(folder: Path, connection: socket.socket) -> None:
    """Connect to the socket in a folder; by the folder's descriptor, as socket addresses have 108 bytes."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        connection.connect(f"/proc/self/fd/{descriptor}/{SOCKET_NAME}")
    finally:
        os.close(descriptor)


def _require_length(report_data: bytes) -> None:
    if len(report_data) != REPORT_DATA_BYTES:
        raise RejectedInputError("quoting.report-data", f"REPORTDATA has 64 bytes, not {len(report_data)}")


def _require_quote(raw_quote: bytes) -> bytes:
    if not 0 < len(raw_quote) <= MAX_QUOTE_BYTES:
        raise UnavailableError("quoting.failed", f"the CPU answers {len(raw_quote):,} bytes, which is no quote")
    return raw_quote
