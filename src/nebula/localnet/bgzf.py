"""Write BGZF, the blocked gzip of SAM/BAM specification section 4.1, for the files that a demo makes."""

import io
import struct
import zlib
from typing import BinaryIO

BLOCK_BYTES = 65_280
END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


class BgzfWriter:
    """Writes content to a file as it comes, block by block. The file is whole after ``close``, and stays open."""

    def __init__(self, file: BinaryIO, *, level: int = 6) -> None:
        self._file, self._level = file, level
        self._waiting = bytearray()

    def write(self, content: bytes) -> None:
        """Write all blocks that are full."""
        self._waiting += content
        whole = len(self._waiting) // BLOCK_BYTES * BLOCK_BYTES
        for start in range(0, whole, BLOCK_BYTES):
            self._file.write(_block(bytes(self._waiting[start : start + BLOCK_BYTES]), self._level))
        del self._waiting[:whole]

    def close(self) -> None:
        """Write what is left, and the empty block that ends every file."""
        if self._waiting:
            self._file.write(_block(bytes(self._waiting), self._level))
        self._file.write(END)


def compress(content: bytes, *, level: int = 6) -> bytes:
    """Return content as BGZF with its end-of-file block."""
    file = io.BytesIO()
    writer = BgzfWriter(file, level=level)
    writer.write(content)
    writer.close()
    return file.getvalue()


def _block(content: bytes, level: int) -> bytes:
    deflate = zlib.compressobj(level, zlib.DEFLATED, -15)
    body = deflate.compress(content) + deflate.flush()
    size = len(body) + 25
    header = b"\x1f\x8b\x08\x04\x00\x00\x00\x00\x00\xff\x06\x00BC\x02\x00" + struct.pack("<H", size)
    return header + body + struct.pack("<II", zlib.crc32(content), len(content))
