"""Files that somebody named, opened if they are what they should be."""

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from nebula.genome.inflate import Source
from nebula.genome.reference import IndexedReference, Reference, read_fasta
from nebula.protocol.errors import RejectedInputError


@contextmanager
def open_file(file: Path) -> Iterator[BinaryIO]:
    """Open a file that somebody named, if it is one: never a folder, a pipe or a device, which might never end.

    Raises:
        RejectedInputError: ``import.file``; it is none, or cannot be read.
    """
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            kind = "a folder" if file.is_dir() else "no ordinary file"
            raise RejectedInputError("import.file", f"{file} is {kind}", hint="name the genome file itself")
        with file.open("rb") as opened:
            yield opened
    except OSError as error:
        raise RejectedInputError(
            "import.file", f"{file} cannot be read: {error.strerror}", hint="check its name and who may read it"
        ) from error


@contextmanager
def open_reference(file: Path) -> Iterator[Reference]:
    """Open a reference genome: by the ``.fai`` and ``.gzi`` beside it if there are any, else whole.

    Raises:
        RejectedInputError: ``import.file`` or ``fasta.*``.
    """
    index, blocks = (file.with_name(file.name + suffix) for suffix in (".fai", ".gzi"))
    with open_file(file) as opened:
        source = Source(opened, name=file.name, kind="fasta")
        if index.exists():
            yield IndexedReference(source, _bytes_of(index), _bytes_of(blocks) if blocks.exists() else None)
        else:
            yield read_fasta(source)


def _bytes_of(file: Path) -> bytes:
    with open_file(file) as opened:
        return opened.read()
