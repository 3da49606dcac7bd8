"""Write BGZF, the blocked gzip of SAM/BAM specification section 4.1, for the files that a demo makes."""

import struct
import zlib

BLOCK_BYTES = 65_280
END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


def compress(content: bytes, *, level: int = 6) -> bytes:
    """Return content as BGZF with its end-of-file block."""
    blocks = (content[start : start + BLOCK_BYTES] for start in range(0, len(content), BLOCK_BYTES))
    return b"".join(_block(block, level) for block in blocks) + END


def _block(content: bytes, level: int) -> bytes:
    deflate = zlib.compressobj(level, zlib.DEFLATED, -15)
    body = deflate.compress(content) + deflate.flush()
    size = len(body) + 25
    header = b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0BC\x02\0" + struct.pack("<H", size)
    return header + body + struct.pack("<II", zlib.crc32(content), len(content))
