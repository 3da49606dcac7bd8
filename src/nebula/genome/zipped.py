"""The one file in a ZIP archive, as vendors send raw data.

SECURITY: the archive is anyone's. It must hold one file, of a size that it states and that inflating is held to;
what is encrypted, nested deeper than one file or packed in another way than by deflate is refused.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO, cast

if TYPE_CHECKING:
    from nebula.genome.inflate import Source

ZIP_MAGIC = b"PK\x03\x04"
_LARGEST_TEXT = 1 << 32
_SIDE_FOLDER = "__MACOSX/"
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OverflowError)


def unzipped(source: Source) -> Source:
    """Return a source of the only file in an archive, or the source itself where it is no archive.

    Raises:
        RejectedInputError: ``archive``; it holds several files or none, or is damaged or too large.
    """
    file = source.file
    if not file.seekable():
        return source
    start = file.tell()
    magic = file.read(len(ZIP_MAGIC))
    file.seek(start)
    if magic != ZIP_MAGIC:
        return source
    try:
        archive = zipfile.ZipFile(file)
        names = ((one, one.filename) for one in archive.infolist())  # a name may be empty
        inside = [one for one, name in names if not name.endswith("/") and not name.startswith(_SIDE_FOLDER)]
        if len(inside) != 1:
            source.refuse(
                "archive", f"the archive holds {len(inside)} files", hint="give one that holds the file alone"
            )
        if inside[0].file_size > min(_LARGEST_TEXT, source.limits.inflated_bytes):
            source.refuse(
                "archive", f"the archive says that its file has {inside[0].file_size} bytes, which is too large"
            )
        member = archive.open(inside[0])
    except _DAMAGED as error:
        source.refuse("archive", f"the archive cannot be read: {error}", hint="unpack it, and give what was in it")
    return replace(source, file=cast("BinaryIO", io.BufferedReader(_Member(source, member))))


class _Member(io.RawIOBase):
    """A file in an archive; what is wrong with it is refused in the archive's name."""

    def __init__(self, source: Source, member: zipfile.ZipExtFile | object) -> None:
        self._source, self._member = source, cast("zipfile.ZipExtFile", member)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            piece = self._member.read(len(buffer))
        except _DAMAGED as error:
            self._source.refuse("archive", f"the archive is damaged: {error}", hint="download it again")
        buffer[: len(piece)] = piece
        return len(piece)
