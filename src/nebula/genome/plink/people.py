"""The people of a ``.fam`` or ``.psam``: family, own id, sex; a ``.fam`` has a phenotype, too."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nebula.genome.plink.files import lines_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nebula.genome.inflate import Source

UNKNOWN, MALE, FEMALE = 0, 1, 2
_COLUMNS = (b"FID", b"IID", b"PAT", b"MAT", b"SEX", b"PHENO1")
_WANTED = (b"FID", b"IID", b"SEX", b"PHENO1")
_SEXES: dict[bytes | None, int] = {
    **dict.fromkeys((b"1", b"M", b"m"), MALE),
    **dict.fromkeys((b"2", b"F", b"f"), FEMALE),
    **dict.fromkeys((b"0", b"-9", b"NA", None), UNKNOWN),
}
_NO_FAMILY = b"0"
_NO_PHENOTYPE = frozenset((b"-9", b"0", b"nan", b"na"))
_LONGEST_ID = 256


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """Everyone of a file set, in the order of the genotypes.

    Attributes:
        names: own ids; where ids repeat between families, everyone's is ``FAMILY_ID``.
        sexes: 0 unknown, 1 male, 2 female, uint8, shape (people,).
        with_family: whether names have the family before them.
        phenotypes: how many have a value in a ``.fam``'s sixth column, which has neither name nor unit, or in the
            first of a ``.psam``'s phenotypes; neither is read.
    """

    names: tuple[str, ...]
    sexes: NDArray[np.uint8]
    with_family: bool
    phenotypes: int

    def __len__(self) -> int:
        return len(self.names)


def read_people(source: Source) -> People:
    """Read a ``.fam``, or a ``.psam``.

    Raises:
        RejectedInputError: ``plink.fields``, ``plink.columns``, ``plink.id``, ``plink.sex``, ``plink.people``,
            ``plink.duplicate-id`` with file and line.
    """
    families: list[str] = []
    ids: list[str] = []
    sexes = bytearray()
    phenotypes = first_line = 0
    optional = frozenset(_WANTED) - {b"IID"}
    for line, (family, own, sex, phenotype) in lines_of(source, _WANTED, unnamed=_COLUMNS, optional=optional):
        first_line = first_line or line
        families.append(_id(source, line, family or _NO_FAMILY))
        ids.append(_id(source, line, own or b""))
        # Plink itself reads every other text as unknown; a shifted column would pass so.
        if sex not in _SEXES:
            said = (sex or b"")[:20]
            source.refuse("sex", f"line {line}, sex: it is {said!r}, not 1 (male), 2 (female) or 0 (unknown)")
        sexes.append(_SEXES[sex])
        phenotypes += phenotype is not None and phenotype.lower() not in _NO_PHENOTYPE
        if len(ids) > source.limits.samples:
            source.refuse("people", f"more than {source.limits.samples:,} people")
    if not ids:
        source.refuse("people", "it names nobody")
    with_family = len(set(ids)) < len(ids)
    names = [f"{family}_{own}" for family, own in zip(families, ids, strict=True)] if with_family else ids
    _check_unique(source, names, first_line)
    return People(tuple(names), np.frombuffer(bytes(sexes), np.uint8), with_family, phenotypes)


def _id(source: Source, line: int, raw: bytes) -> str:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        source.refuse("id", f"line {line}: an id is not UTF-8", hint="give the file in UTF-8")
    if not text.isprintable() or len(text) > _LONGEST_ID:
        source.refuse("id", f"line {line}: an id has more than {_LONGEST_ID} letters, or some that do not print")
    return text


def _check_unique(source: Source, names: list[str], first_line: int) -> None:
    name, count = Counter(names).most_common(1)[0]
    if count > 1:
        first, second = [line for line, one in enumerate(names, start=first_line) if one == name][:2]
        source.refuse(
            "duplicate-id",
            f"lines {first} and {second} are both about {name}",
            hint="a person stands once: remove or rename one (`plink2 --bfile NAME --remove FILE --make-bed`)",
        )
