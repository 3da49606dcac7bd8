"""Keys whose meaning the VCF specification fixes (4.2: 1.4.1; 4.3 and later: tables 1 and 2)."""

from __future__ import annotations

from dataclasses import dataclass

FLAG_NUMBER = "0"


@dataclass(frozen=True, slots=True)
class Definition:
    """What a key's values look like.

    Attributes:
        number: as in the header: a count, A, R, G or ``.``.
        kinds: the types that are accepted; the first is the specification's.
        natural: counts, depths, frequencies: never below zero.
        since: the first minor version that reserves the key.
    """

    number: str
    kinds: tuple[str, ...]
    natural: bool = False
    since: int = 1


_FLAG = Definition(FLAG_NUMBER, ("Flag",))
_COUNT = Definition("1", ("Integer",), natural=True)
_PER_ALLELE = Definition("R", ("Integer",), natural=True, since=3)

INFO: dict[str, Definition] = {
    "1000G": _FLAG,
    "AA": Definition("1", ("String",)),
    "AC": Definition("A", ("Integer",), natural=True),
    "AD": _PER_ALLELE,
    "ADF": _PER_ALLELE,
    "ADR": _PER_ALLELE,
    "AF": Definition("A", ("Float",), natural=True),
    "AN": _COUNT,
    "BQ": Definition("1", ("Float",), natural=True),
    "CIGAR": Definition("A", ("String",)),
    "DB": _FLAG,
    "DP": _COUNT,
    "END": _COUNT,
    "H2": _FLAG,
    "H3": _FLAG,
    # Callers disagree about the type, the specification's own versions too.
    "MQ": Definition("1", ("Float", "Integer")),
    "MQ0": _COUNT,
    "NS": _COUNT,
    "SOMATIC": _FLAG,
    "VALIDATED": _FLAG,
}

FORMAT: dict[str, Definition] = {
    "AD": _PER_ALLELE,
    "ADF": _PER_ALLELE,
    "ADR": _PER_ALLELE,
    "DP": _COUNT,
    "EC": Definition("A", ("Integer",), natural=True),
    "FT": Definition("1", ("String",)),
    "GL": Definition("G", ("Float",)),
    "GLE": Definition("G", ("String",)),
    "GP": Definition("G", ("Float",)),
    # freebayes writes fractions; nothing is lost by reading them.
    "GQ": Definition("1", ("Integer", "Float")),
    "GT": Definition("1", ("String",)),
    "HQ": Definition("2", ("Integer",)),
    "MQ": Definition("1", ("Integer",)),
    "PL": Definition("G", ("Integer",)),
    "PQ": Definition("1", ("Integer",)),
    "PS": Definition("1", ("Integer",)),
}

RESERVED = {"INFO": INFO, "FORMAT": FORMAT}
