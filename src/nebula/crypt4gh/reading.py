"""Random access: a Crypt4GH file as a seekable file of its plaintext, reading only the segments it needs."""

import io
from typing import BinaryIO

from nebula.crypt4gh.edits import KeptSpans
from nebula.crypt4gh.errors import MalformedFileError
from nebula.crypt4gh.header import Header, open_header, read_header, read_up_to
from nebula.crypt4gh.segments import SEALED_SEGMENT_BYTES, SEGMENT_BYTES, SegmentCipher, plain_length
from nebula.protocol.sealing import SealingKey
from nebula.protocol.secrets import SecretBytes


class PlainReader(io.RawIOBase):
    """The plaintext of an open, seekable Crypt4GH file, edit list applied; wrap it in BufferedReader for small reads.

    It does not own the file below and never closes it. Every byte it gives was authenticated; that segments stand in
    their order and none is missing at the end it cannot know.
    """

    def __init__(self, file: BinaryIO, header: Header) -> None:
        super().__init__()
        self._file = file
        self._body_start = header.length_bytes
        self._cipher = SegmentCipher(header.data_keys)
        decrypted_length = plain_length(max(0, file.seek(0, io.SEEK_END) - self._body_start))
        self._kept = KeptSpans.of(header.edits, decrypted_length)
        self._position = 0
        self._cached: tuple[int, bytes] = (-1, b"")

    @classmethod
    def open(cls, file: BinaryIO, reader: SealingKey) -> "PlainReader":
        """Open a file from its start with a reader's key.

        Raises:
            NotARecipientError: the file was not encrypted to this key.
            MalformedFileError: it is no Crypt4GH file, or cut short.
        """
        file.seek(0)
        return cls(file, open_header(read_header(file), reader))

    @classmethod
    def open_with_data_key(cls, file: BinaryIO, data_key: SecretBytes) -> "PlainReader":
        """Open a file from its start with its data key; an edit list stays unknown and is not applied."""
        file.seek(0)
        return cls(file, Header((data_key,), None, read_header(file).length_bytes))

    @property
    def length_bytes(self) -> int:
        """How long the plaintext is."""
        return self._kept.length

    def read_range(self, start: int, length: int) -> bytes:
        """Return up to ``length`` bytes of plaintext from ``start``: exactly ``plaintext[start : start + length]``.

        Raises:
            AlteredError: a segment on the way does not authenticate.
        """
        end = min(start + length, self.length_bytes)
        pieces: list[bytes] = []
        while start < end:
            pieces.append(self._piece(start, end - start))
            start += len(pieces[-1])
        return b"".join(pieces)

    def _piece(self, position: int, length: int) -> bytes:
        """Return the bytes at a position as far as one kept span and one segment reach."""
        at, available = self._kept.locate(position)
        number, offset = divmod(at, SEGMENT_BYTES)
        wanted = min(length, available, SEGMENT_BYTES - offset)
        return self._segment(number)[offset : offset + wanted]

    def _segment(self, number: int) -> bytes:
        if self._cached[0] != number:
            self._file.seek(self._body_start + number * SEALED_SEGMENT_BYTES)
            sealed = read_up_to(self._file, SEALED_SEGMENT_BYTES)
            if not sealed:
                raise MalformedFileError("crypt4gh.truncated", f"the file has lost segment {number}")
            self._cached = (number, self._cipher.open_body(sealed, first_segment=number))
        return self._cached[1]

    def readable(self) -> bool:
        """Whether it can be read: yes."""
        return True

    def seekable(self) -> bool:
        """Whether it can be sought in: yes."""
        return True

    def tell(self) -> int:
        """Return the position in the plaintext."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position in the plaintext, as files do."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.length_bytes}[whence]
        if base + offset < 0:
            raise ValueError("cannot seek before the start of the plaintext")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # typeshed: any Buffer
        """Fill a buffer with what follows; 0 at the end."""
        found = self.read_range(self._position, len(buffer))
        memoryview(buffer)[: len(found)] = found
        self._position += len(found)
        return len(found)
