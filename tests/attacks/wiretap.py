"""A wire with an ear on it: forwards TCP to a party and keeps every byte, both ways."""

import socket
import threading
from contextlib import suppress


class Wiretap:
    """Listens on ``port``, forwards to another port of this machine."""

    def __init__(self, forward_to: int) -> None:
        self._forward_to = forward_to
        self._heard: list[bytes] = []
        self._server = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = int(self._server.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def heard(self) -> bytes:
        """Everything that went by, piece by piece."""
        return b"".join(list(self._heard))

    def close(self) -> None:
        """Take no new connections."""
        self._server.close()

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._server.accept()
            except OSError:
                return
            try:
                callee = socket.create_connection(("127.0.0.1", self._forward_to))
            except OSError:
                caller.close()  # the party is not there yet: so it looks from outside, too
                continue
            for source, sink in ((caller, callee), (callee, caller)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(1 << 16):
                self._heard.append(piece)
                sink.sendall(piece)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_WR)
