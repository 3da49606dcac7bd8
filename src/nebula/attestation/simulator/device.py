"""Serve the simulated CPU where a worker looks for one: a folder in place of ``/dev/attestation``.

``attestation_type`` as Gramine has it, and a socket: 64 bytes in, a quote out, one per connection.
"""

import os
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from nebula.attestation.quoting import SOCKET_NAME
from nebula.attestation.simulator.cpu import REPORT_DATA_BYTES, SimulatedCpu
from nebula.protocol.errors import NebulaError

_TIMEOUT_SECONDS = 30.0


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, folder: Path, cpu: SimulatedCpu) -> None:
        self.folder = folder
        self.cpu = cpu
        super().__init__(str(folder / SOCKET_NAME), _Handler)

    def server_bind(self) -> None:
        """Bind by the folder's descriptor, as socket addresses have 108 bytes."""
        descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            self.socket.bind(f"/proc/self/fd/{descriptor}/{SOCKET_NAME}")
        finally:
            os.close(descriptor)


class _Handler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        """Answer one quote; whatever is wrong is answered with nothing, as a device would."""
        connection = cast("socket.socket", self.request)
        connection.settimeout(_TIMEOUT_SECONDS)
        try:
            report_data = connection.recv(REPORT_DATA_BYTES, socket.MSG_WAITALL)
            connection.sendall(cast("_Server", self.server).cpu.quote(report_data))
        except (NebulaError, OSError):
            return


@contextmanager
def serving_device(folder: Path, cpu: SimulatedCpu) -> Iterator[Path]:
    """Serve a CPU at a folder, which is made if absent, until the block ends. One server per folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SOCKET_NAME).unlink(missing_ok=True)  # left behind by a killed simulator
    (folder / "attestation_type").write_text("dcap", "ascii")
    server = _Server(folder, cpu)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield folder
    finally:
        server.shutdown()
        server.server_close()
        (folder / SOCKET_NAME).unlink(missing_ok=True)
