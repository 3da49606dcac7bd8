"""One person's phenotypes: a small typed table, stored as canonical JSON."""

from __future__ import annotations

import math
import unicodedata
from typing import Annotated, Literal

import msgspec

from nebula.protocol.errors import RejectedInputError

Kind = Literal["number", "category"]

MAX_COLUMNS = 5000
LONGEST_NAME = 200
LONGEST_CATEGORY = 1000
LARGEST_NUMBER = 1e30
"""No measurement of a person is larger; and sums of squares and products of what is smaller stay finite."""

_LARGEST_BYTES = 1 << 20
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Kinds of characters that steer a terminal or a reader's eye: controls, directions, half pairs, line ends."""

_encoder = msgspec.json.Encoder(order="deterministic")


class Phenotype(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """One phenotype of one person: a finite number with its unit, or a category; None is missing.

    Numbers lie within :data:`LARGEST_NUMBER`; name, unit and category have no characters that cannot be seen.
    """

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_NAME)]
    kind: Kind
    unit: Annotated[str, msgspec.Meta(max_length=50)] | None = None
    number: Annotated[float, msgspec.Meta(ge=-LARGEST_NUMBER, le=LARGEST_NUMBER)] | None = None
    category: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_CATEGORY)] | None = None


class PhenotypeTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """All phenotypes of one person, by ascending name.

    Nothing in it can refer back to it, so the collector of cycles need not visit a cohort's hundred thousand.
    """

    schema: Literal[1] = 1
    phenotypes: Annotated[tuple[Phenotype, ...], msgspec.Meta(max_length=MAX_COLUMNS)]

    def to_bytes(self) -> bytes:
        """The table's canonical JSON."""
        return _encoder.encode(self)

    def number(self, name: str) -> float | None:
        """A number by name; None where it is missing, not recorded, or a category."""
        found = self._find(name)
        return None if found is None else found.number

    def category(self, name: str) -> str | None:
        """A category by name; None where it is missing, not recorded, or a number."""
        found = self._find(name)
        return None if found is None else found.category

    def _find(self, name: str) -> Phenotype | None:
        return next((phenotype for phenotype in self.phenotypes if phenotype.name == name), None)


_decoder = msgspec.json.Decoder(PhenotypeTable, strict=True)


def parse_phenotypes(raw: bytes) -> PhenotypeTable:
    """Parse a table's canonical JSON, strictly.

    SECURITY: the owner, or whoever pretended to be one, made these bytes.

    Raises:
        RejectedInputError: ``phenotypes.malformed``.
    """
    if len(raw) > _LARGEST_BYTES:
        raise RejectedInputError("phenotypes.too-large", f"{len(raw)} bytes, more than {_LARGEST_BYTES}")
    try:
        table = _decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RejectedInputError("phenotypes.malformed", f"this is no phenotype table: {error}") from error
    if table.to_bytes() != raw:
        raise RejectedInputError("phenotypes.malformed", "the table is not in its canonical form")
    last = ""
    for phenotype in table.phenotypes:
        # No name is empty, so that the first one is beyond this, too.
        if phenotype.name <= last:
            raise RejectedInputError("phenotypes.malformed", "the names do not ascend, each once")
        last = phenotype.name
        if not _is_of_its_kind(phenotype):
            raise RejectedInputError("phenotypes.malformed", f"{last!r} is no number and no category, but some of both")
    # JSON escapes the ASCII characters that cannot be seen, all but the last.
    if not raw.isascii() or b"\\" in raw or b"\x7f" in raw:
        _check_texts(table)
    return table


def is_plain(text: str) -> bool:
    """Whether a text has only characters that can be seen, and spaces."""
    # What Python prints as it is can be seen; characters of private use, and rare spaces, are looked at one by one.
    return text.isprintable() or all(unicodedata.category(character) not in _UNSEEN for character in text)


def is_measurable(number: float) -> bool:
    """Whether a number is finite and small enough to be about a person."""
    return math.isfinite(number) and abs(number) <= LARGEST_NUMBER


def _is_of_its_kind(phenotype: Phenotype) -> bool:
    if phenotype.kind == "number":
        return phenotype.category is None
    return phenotype.number is None and phenotype.unit is None


def _check_texts(table: PhenotypeTable) -> None:
    for phenotype in table.phenotypes:
        if not is_plain("".join((phenotype.name, phenotype.unit or "", phenotype.category or ""))):
            raise RejectedInputError(
                "phenotypes.malformed",
                f"name, unit or category of {phenotype.name!r} has characters that cannot be seen",
            )
