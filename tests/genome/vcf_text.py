"""Small VCFs for tests."""

import io
from collections.abc import Callable, Sequence

from nebula.genome.inflate import Source
from nebula.protocol.errors import RejectedInputError

COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"


def vcf(*records: str, samples: Sequence[str] = ("A",), meta: Sequence[str] = (), version: str = "4.2") -> bytes:
    """A VCF; records are written with blanks where tabs belong."""
    names = "".join(f"\t{name}" for name in ("FORMAT", *samples)) if samples else ""
    lines = [f"##fileformat=VCFv{version}", *meta, COLUMNS + names, *(record.replace(" ", "\t") for record in records)]
    return ("\n".join(lines) + "\n").encode()


def source(raw: bytes, kind: str = "vcf", name: str = "small.vcf") -> Source:
    return Source(io.BytesIO(raw), name, kind)


def refused(action: Callable[[], object]) -> RejectedInputError | None:
    """What an action was refused with, or None where it went through; any other error is a failure."""
    try:
        action()
    except RejectedInputError as error:
        return error
    return None
