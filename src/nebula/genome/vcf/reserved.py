"""Keys whose meaning the VCF specification fixes (4.2: 1.4.1; 4.3 and later: tables 1 and 2; 4.4: 3 and 4)."""

from __future__ import annotations

from dataclasses import dataclass

FLAG_NUMBER = "0"


@dataclass(frozen=True, slots=True)
class Definition:
    """What a key's values look like.

    Attributes:
        number: as in the header: a count, A, R, G, P, M, LA, LR, LG or ``.``.
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
_STRUCTURAL = 4
_LOCAL = 5
_MODIFICATIONS = ("5mC", "5hmC", "5fC", "5caC", "5hmU", "5fU", "5caU", "6mA", "8oxoG", "XaoN")

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
    "CICN": Definition(".", ("Float",), since=_STRUCTURAL),
    "CIGAR": Definition("A", ("String",)),
    "CIRB": Definition(".", ("Integer",), since=_STRUCTURAL),
    "CIRUC": Definition(".", ("Float",), since=_STRUCTURAL),
    "CN": Definition("A", ("Float",), natural=True, since=_STRUCTURAL),
    "DB": _FLAG,
    "DP": _COUNT,
    "END": _COUNT,
    "H2": _FLAG,
    "H3": _FLAG,
    # Callers disagree about the type, the specification's own versions too.
    "MQ": Definition("1", ("Float", "Integer")),
    "MQ0": _COUNT,
    "NS": _COUNT,
    "RB": Definition(".", ("Integer",), natural=True, since=_STRUCTURAL),
    "RN": Definition("A", ("Integer",), natural=True, since=_STRUCTURAL),
    "RUB": Definition(".", ("Integer",), natural=True, since=_STRUCTURAL),
    "RUC": Definition(".", ("Float",), natural=True, since=_STRUCTURAL),
    "RUL": Definition(".", ("Integer",), natural=True, since=_STRUCTURAL),
    "RUS": Definition(".", ("String",), since=_STRUCTURAL),
    "SOMATIC": _FLAG,
    "SVCLAIM": Definition("A", ("String",), since=_STRUCTURAL),
    # A negative length is an old way to say deletion.
    "SVLEN": Definition("A", ("Integer",), since=_STRUCTURAL),
    "VALIDATED": _FLAG,
}

FORMAT: dict[str, Definition] = {
    "AD": _PER_ALLELE,
    "ADF": _PER_ALLELE,
    "ADR": _PER_ALLELE,
    "CICN": Definition("2", ("Float",), since=_STRUCTURAL),
    "CN": Definition("1", ("Float", "Integer"), natural=True, since=_STRUCTURAL),
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
    "LAA": Definition(".", ("Integer",), natural=True, since=_LOCAL),
    "LAD": Definition("LR", ("Integer",), natural=True, since=_LOCAL),
    "LADF": Definition("LR", ("Integer",), natural=True, since=_LOCAL),
    "LADR": Definition("LR", ("Integer",), natural=True, since=_LOCAL),
    "LEC": Definition("LA", ("Integer",), natural=True, since=_LOCAL),
    "LEN": Definition("1", ("Integer",), natural=True, since=_LOCAL),
    # The table says Integer, their likes without L are Float.
    "LGL": Definition("LG", ("Float", "Integer"), since=_LOCAL),
    "LGP": Definition("LG", ("Float", "Integer"), since=_LOCAL),
    "LPL": Definition("LG", ("Integer",), since=_LOCAL),
    "LPP": Definition("LG", ("Integer",), since=_LOCAL),
    "MQ": Definition("1", ("Integer",)),
    "PL": Definition("G", ("Integer",)),
    "PP": Definition("G", ("Integer",), since=3),
    "PQ": Definition("1", ("Integer",)),
    "PS": Definition("1", ("Integer",)),
    "PSL": Definition("P", ("String",), since=_STRUCTURAL),
    "PSO": Definition("P", ("Integer",), natural=True, since=_STRUCTURAL),
    "PSQ": Definition("P", ("Integer",), since=_STRUCTURAL),
    **{f"M{base}": Definition("M", ("Float",), natural=True, since=_LOCAL) for base in _MODIFICATIONS},
    **{f"DPM{base}": Definition("M", ("Integer",), natural=True, since=_LOCAL) for base in _MODIFICATIONS},
    **{f"ADM{base}": Definition("M", ("Integer",), natural=True, since=_LOCAL) for base in _MODIFICATIONS},
}

RESERVED = {"INFO": INFO, "FORMAT": FORMAT}
