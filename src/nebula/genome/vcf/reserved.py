"""Keys whose meaning the VCF specification fixes.

Sources: 4.1 and 4.2, sections 1.4 and 3; 4.3 and later, tables 1 and 2 and the sections on structural variants.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

FLAG_NUMBER = "0"
NEWEST = 5
ANY_NUMBER = ("any",)


@dataclass(frozen=True, slots=True)
class Definition:
    """What a key's values look like.

    Attributes:
        number: as in the header: a count, A, R, G, P, M, LA, LR, LG or ``.``.
        kinds: the types that are accepted; the first is the specification's.
        natural: counts, depths, qualities, frequencies: never below zero.
        since: the first minor version that reserves the key so.
        until: the last one.
        other_numbers: what the header may say as well, because callers in wide use do, or other editions of the
            specification; ``ANY_NUMBER`` where it leaves the number open.
        counted: whether a record has as many values as the Number says; where the specification contradicts itself,
            any count is accepted.
        checked_as: a closer type than the header's: ``Cigar``, ``Probability`` (from 0 to 1), or ``Strings`` (some of
            which may be empty).
    """

    number: str
    kinds: tuple[str, ...]
    natural: bool = False
    since: int = 1
    until: int = NEWEST
    other_numbers: tuple[str, ...] = ()
    counted: bool = True
    checked_as: str | None = None


_STRUCTURAL = 4
_LOCAL = 5


def _old(number: str, *kinds: str, other_numbers: tuple[str, ...] = ()) -> Definition:
    """A key of structural variants as it was before 4.4."""
    numbers = ANY_NUMBER if number == "." else other_numbers
    return Definition(number, kinds, until=_STRUCTURAL - 1, other_numbers=numbers)


def _names() -> Definition:
    """From 4.4 on: a name for each allele; empty where an allele has none."""
    return Definition("A", ("String",), since=_STRUCTURAL, checked_as="Strings")


_FLAG = Definition(FLAG_NUMBER, ("Flag",))
_COUNT = Definition("1", ("Integer",), natural=True)
_WHOLE = Definition("1", ("Integer",))
_PER_ALLELE = Definition("R", ("Integer",), natural=True, since=3)
# With a single alternative allele, earlier versions' numbers are right as well.
_INTERVALS = Definition(".", ("Integer",), since=_STRUCTURAL, other_numbers=("2",))
_QUADRUPLES = Definition(".", ("String",), since=_STRUCTURAL, other_numbers=("4",))
_SHARE = Definition("M", ("Float",), natural=True, since=_LOCAL, checked_as="Probability")
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
    "CIGAR": Definition("A", ("String",), checked_as="Cigar"),
    "CIRB": Definition(".", ("Integer",), since=_STRUCTURAL),
    "CIRUC": Definition(".", ("Float",), since=_STRUCTURAL),
    "CN": Definition("A", ("Float",), natural=True, since=_STRUCTURAL),
    "DB": _FLAG,
    "DP": _COUNT,
    "END": _COUNT,
    "H2": _FLAG,
    "H3": _FLAG,
    "IMPRECISE": _FLAG,
    # Callers disagree about the type, the specification's own versions too.
    "MQ": Definition("1", ("Float", "Integer")),
    "MQ0": _COUNT,
    "NOVEL": _FLAG,
    "NS": _COUNT,
    "RB": Definition(".", ("Integer",), natural=True, since=_STRUCTURAL),
    "RN": Definition("A", ("Integer",), natural=True, since=_STRUCTURAL),
    "RUB": Definition(".", ("Integer",), natural=True, since=_STRUCTURAL),
    "RUC": Definition(".", ("Float",), natural=True, since=_STRUCTURAL),
    "RUL": Definition(".", ("Integer",), natural=True, since=_STRUCTURAL),
    "RUS": Definition(".", ("String",), since=_STRUCTURAL),
    # Four whole numbers by the specification, one fraction in its own test files.
    "SB": Definition(".", ("Float", "Integer"), since=3),
    "SOMATIC": _FLAG,
    "SVCLAIM": Definition("A", ("String",), since=_STRUCTURAL),
    # A negative length is an old way to say deletion.
    "SVLEN": Definition("A", ("Integer",), since=_STRUCTURAL),
    "SVTYPE": Definition("1", ("String",)),
    "VALIDATED": _FLAG,
}

#: Of structural variants, as they were up to 4.3.
OLD_STRUCTURAL_INFO: dict[str, Definition] = {
    "BKPTID": _old(".", "String"),
    "CICN": _old("2", "Integer"),
    "CICNADJ": _old(".", "Integer"),
    "CIEND": _old("2", "Integer"),
    "CILEN": _old("2", "Integer"),
    "CIPOS": _old("2", "Integer"),
    "CN": _old("1", "Integer"),
    "CNADJ": _old(".", "Integer"),
    "DBRIPID": _old("1", "String"),
    # ClinVar lists several, dbVar writes a flag.
    "DBVARID": _old("1", "String", "Flag", other_numbers=ANY_NUMBER),
    "DGVID": _old("1", "String"),
    "DPADJ": _old(".", "Integer"),
    "EVENT": _old("1", "String"),
    "HOMLEN": _old(".", "Integer"),
    "HOMSEQ": _old(".", "String"),
    "MATEID": _old(".", "String"),
    "MEINFO": _old("4", "String"),
    "METRANS": _old("4", "String"),
    "PARID": _old("1", "String"),
    "SVLEN": _old(".", "Integer"),
}

#: The same, as they are from 4.4 on.
STRUCTURAL_INFO: dict[str, Definition] = {
    "BKPTID": _names(),
    "CIEND": _INTERVALS,
    "CILEN": _INTERVALS,
    "CIPOS": _INTERVALS,
    "DBRIPID": _names(),
    "DBVARID": _names(),
    "DGVID": _names(),
    "EVENT": _names(),
    "EVENTTYPE": _names(),
    "HOMLEN": Definition("A", ("Integer",), since=_STRUCTURAL),
    "HOMSEQ": _names(),
    "MATEID": _names(),
    "MEINFO": _QUADRUPLES,
    "METRANS": _QUADRUPLES,
    "PARID": _names(),
}

FORMAT: dict[str, Definition] = {
    "AD": _PER_ALLELE,
    "ADF": _PER_ALLELE,
    "ADR": _PER_ALLELE,
    "AHAP": _WHOLE,
    "CICN": Definition("2", ("Float",), since=_STRUCTURAL),
    "CN": Definition("1", ("Float", "Integer"), natural=True, since=_STRUCTURAL),
    # A value for each genotype, says the table; for each copy number, says the text.
    "CNL": Definition("G", ("Float",), since=3, other_numbers=(".",), counted=False),
    "CNP": Definition(
        "G", ("Float",), natural=True, since=3, other_numbers=(".",), counted=False, checked_as="Probability"
    ),
    # Callers of copy numbers write whole ones.
    "CNQ": Definition("1", ("Float", "Integer")),
    "DP": _COUNT,
    "EC": Definition("A", ("Integer",), natural=True),
    "FT": Definition("1", ("String",)),
    "GL": Definition("G", ("Float",)),
    "GLE": Definition("G", ("String",)),
    # Phred-scaled up to 4.2.
    "GP": Definition("G", ("Float",), natural=True, since=3, checked_as="Probability"),
    # freebayes writes fractions; nothing is lost by reading them.
    "GQ": Definition("1", ("Integer", "Float"), natural=True),
    "GT": Definition("1", ("String",)),
    "HAP": _WHOLE,
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
    "LPL": Definition("LG", ("Integer",), natural=True, since=_LOCAL),
    "LPP": Definition("LG", ("Integer",), natural=True, since=_LOCAL),
    "MQ": Definition("1", ("Integer",)),
    "NQ": _WHOLE,
    "PL": Definition("G", ("Integer",), natural=True),
    "PP": Definition("G", ("Integer",), natural=True, since=3),
    "PQ": Definition("1", ("Integer",)),
    "PS": Definition("1", ("Integer",), natural=True),
    "PSL": Definition("P", ("String",), since=_STRUCTURAL),
    "PSO": Definition("P", ("Integer",), natural=True, since=_STRUCTURAL),
    "PSQ": Definition("P", ("Integer",), since=_STRUCTURAL),
    **{f"M{base}": _SHARE for base in _MODIFICATIONS},
    **{f"DPM{base}": Definition("M", ("Integer",), natural=True, since=_LOCAL) for base in _MODIFICATIONS},
    **{f"ADM{base}": Definition("M", ("Integer",), natural=True, since=_LOCAL) for base in _MODIFICATIONS},
}

#: As they were up to 4.3, and up to 4.2.
OLD_FORMAT: dict[str, Definition] = {
    # Callers of copy numbers write fractions.
    "CN": _old("1", "Integer", "Float"),
    "CNL": Definition(".", ("Float",), until=2, other_numbers=ANY_NUMBER),
    "GP": Definition("G", ("Float",), until=2),
}

_TABLES = {
    "INFO": (INFO, OLD_STRUCTURAL_INFO, STRUCTURAL_INFO),
    "FORMAT": (FORMAT, OLD_FORMAT),
}


@cache
def reserved_keys(column: str, minor: int) -> dict[str, Definition]:
    """The keys that VCF 4.``minor`` reserves in INFO or FORMAT."""
    keys = ((name, definition) for table in _TABLES[column] for name, definition in table.items())
    return {name: definition for name, definition in keys if definition.since <= minor <= definition.until}
