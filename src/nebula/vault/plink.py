"""The three files of a PLINK file set, opened by the name of one."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from nebula.genome.inflate import Source
from nebula.genome.plink.files import KIND, PlinkFiles
from nebula.protocol.errors import RejectedInputError
from nebula.vault.files import open_file

#: Of PLINK 1 and of PLINK 2: how the file of genotypes is called, by which a set is named, and those beside it.
_SETS = {".bed": (".bim", ".fam"), ".pgen": (".pvar", ".psam")}
_NAMED_BY = {beside: genotypes for genotypes, others in _SETS.items() for beside in others}
_FIRST_BYTES = 256


def is_plink(file: Path) -> bool:
    """Whether a file is of a PLINK file set, by how its name ends."""
    return file.suffix in _SETS or file.suffix in _NAMED_BY


@contextmanager
def open_plink(file: Path, *, progress: Callable[[int], None] | None = None) -> Iterator[PlinkFiles]:
    """Open a ``.bed`` or ``.pgen`` and the two files beside it, of the same name.

    Raises:
        RejectedInputError: ``plink.name`` for a file that a set is not named by, ``plink.regions`` for a text of
            regions, which is called .bed, too, ``import.file`` where one of the three is not there.
    """
    if file.suffix in _NAMED_BY:
        named = file.with_suffix(_NAMED_BY[file.suffix])
        raise RejectedInputError(f"{KIND}.name", f"{file.name}: it is one of three files", hint=f"name {named}")
    with open_file(file) as opened:
        if _is_text(opened.read(_FIRST_BYTES)):
            raise RejectedInputError(
                f"{KIND}.regions",
                f"{file.name}: it is a list of regions (BED), without genotypes; PLINK's .bed is binary",
                hint="give the VCF, the raw data of a consumer test, or the .bed of a PLINK file set",
            )
    with ExitStack() as files:
        genotypes, sites, people = (
            Source(files.enter_context(open_file(one)), name=one.name, kind=KIND)
            for one in (file, *(file.with_suffix(suffix) for suffix in _SETS[file.suffix]))
        )
        yield PlinkFiles(Source(genotypes.file, genotypes.name, KIND, progress=progress), sites, people)


def _is_text(start: bytes) -> bool:
    return bool(start) and all(byte >= ord(" ") or byte in b"\t\r\n" for byte in start)
