"""The three files of a PLINK file set, opened by the name of one."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from nebula.genome.inflate import Source
from nebula.genome.plink.files import KIND, PlinkFiles
from nebula.protocol.errors import RejectedInputError
from nebula.vault.files import open_file

_BED = ".bed"
_OF_SET = (".bim", ".fam")
_OF_PLINK_2 = (".pgen", ".pvar", ".psam")
_FIRST_BYTES = 256


def is_plink(file: Path) -> bool:
    """Whether a file is of a PLINK file set, by how its name ends."""
    return file.suffix in (_BED, *_OF_SET, *_OF_PLINK_2)


@contextmanager
def open_plink(file: Path, *, progress: Callable[[int], None] | None = None) -> Iterator[PlinkFiles]:
    """Open a ``.bed`` and the ``.bim`` and ``.fam`` beside it, of the same name.

    Raises:
        RejectedInputError: ``plink.pgen`` for a file set of PLINK 2, ``plink.name`` for a part of one of PLINK 1,
            ``plink.regions`` for a text of regions, which is called .bed, too, ``import.file`` where one of the three
            is not there.
    """
    if file.suffix in _OF_PLINK_2:
        raise RejectedInputError(
            f"{KIND}.pgen",
            f"{file.name}: it is of PLINK 2, whose files are not read",
            hint=f"make a .bed of it: `plink2 --pfile {file.with_suffix('')} --make-bed --out {file.with_suffix('')}`",
        )
    if file.suffix in _OF_SET:
        raise RejectedInputError(
            f"{KIND}.name", f"{file.name}: it is one of three files", hint=f"name {file.with_suffix(_BED)}"
        )
    with open_file(file) as opened:
        if _is_text(opened.read(_FIRST_BYTES)):
            raise RejectedInputError(
                f"{KIND}.regions",
                f"{file.name}: it is a list of regions (BED), without genotypes; PLINK's .bed is binary",
                hint="give the VCF, the raw data of a consumer test, or the .bed of a PLINK file set",
            )
    with ExitStack() as files:
        bed, bim, fam = (
            Source(files.enter_context(open_file(one)), name=one.name, kind=KIND)
            for one in (file, *(file.with_suffix(suffix) for suffix in _OF_SET))
        )
        yield PlinkFiles(Source(bed.file, bed.name, KIND, progress=progress), bim, fam)


def _is_text(start: bytes) -> bool:
    return bool(start) and all(byte >= ord(" ") or byte in b"\t\r\n" for byte in start)
