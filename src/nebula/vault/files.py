"""Files that somebody named: opened if they are what they should be, written if there are none of that name."""

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from nebula.files import new_file
from nebula.genome.inflate import Source
from nebula.genome.reference import IndexedReference, Reference, read_fasta
from nebula.protocol.errors import RejectedInputError, UnavailableError

_GENOTYPES_OF_SETS = (".bed", ".pgen")


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
            "import.file", f"{file} cannot be read: {error.strerror}", hint=_other_name(file)
        ) from error


def _other_name(file: Path) -> str:
    """What to give instead of a file that is not there: a PLINK file set is often named without an ending."""
    meant = (file.with_name(file.name + ending) for ending in _GENOTYPES_OF_SETS)
    there = next((one for one in meant if one.is_file()), None)
    return "check its name and who may read it" if there is None else f"name {there}, with its ending"


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


@contextmanager
def private_file(output: Path, *, kind: str) -> Iterator[BinaryIO]:
    """Give a new file, readable by its owner alone, to write: it gets its name when it is whole.

    Raises:
        RejectedInputError: ``KIND.exists``; something of that name is there already, and stays.
        UnavailableError: ``KIND.file``; it cannot be written.
    """
    try:
        with new_file(output, mode=0o600) as file:
            yield file
    except FileExistsError as error:
        raise RejectedInputError(f"{kind}.exists", f"{output} is there already", hint="name a new file") from error
    except OSError as error:
        raise UnavailableError(f"{kind}.file", f"{output} cannot be written: {error.strerror or error}") from error


def _bytes_of(file: Path) -> bytes:
    with open_file(file) as opened:
        return opened.read()
