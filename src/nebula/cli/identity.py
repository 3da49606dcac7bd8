"""What an import says about whose file it is, and what its owner must confirm before a record is made."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rich.markup import escape

from nebula.cli import asking
from nebula.cli.console import counted, err
from nebula.genome.allele_balance import AlleleBalance
from nebula.genome.imported import ImportedCohort
from nebula.genome.panel import Panel
from nebula.protocol.errors import NotPermittedError
from nebula.vault.identity import CohortLikeness, Degree, Likeness, compare, doubts, read_balance
from nebula.vault.import_ import Vault

Sex = Literal["female", "male"]

SHOWN = 6
"""Names that are told; the rest of them are counted."""


@dataclass(frozen=True, slots=True)
class Identity:
    """How a file compares with the owner's earlier records and words, and what of it is doubtful."""

    stated_sex: Sex | None
    earlier: list[Likeness]
    balance: AlleleBalance | None
    doubts: list[str]


def identify(vault: Vault, file: Path, genomes: ImportedCohort, panel: Panel, *, stated_sex: Sex | None) -> Identity:
    """Compare a file of one person with the vault's own records.

    Raises:
        IntegrityError: the storage altered an earlier record.
    """
    report = genomes.report(0)
    earlier = compare(vault, panel, genomes.vector(0))
    balance = read_balance(file, report)
    return Identity(stated_sex, earlier, balance, doubts(earlier, report, stated_sex=stated_sex, balance=balance))


def tell_identity(identity: Identity) -> None:
    """Say how a file compares, before anybody agrees."""
    if identity.earlier:
        err.print("[bold]Whose it is[/bold], by comparison with the records of this vault, in the vault")
    for one in identity.earlier:
        measured = "" if one.kinship is None else f" (kinship {one.kinship:.3f} over {one.sites:,} sites)"
        unknown = f": they have {one.sites:,} sites in common" if one.degree is Degree.UNKNOWN else ""
        err.print(escape(f"  {one.label}: {one.degree}{measured}{unknown}"))
    if identity.doubts:
        err.print("[bold]To be confirmed[/bold]")
    for doubt in identity.doubts:
        err.print(escape(f"  · {doubt}"))


def confirm(identity: Identity, *, confirmed: bool) -> None:
    """Go on only if nothing is doubtful, or the owner confirms it: ``--yes`` alone does not.

    Raises:
        NotPermittedError: there is a doubt, and nobody at a terminal confirmed it.
    """
    if not identity.doubts or confirmed:
        return
    if asking.can_ask():
        asking.agree("Is the file the right one all the same?", yes=False)
        return
    raise NotPermittedError(
        "import.identity", identity.doubts[0], hint="if the file is the right one all the same, add --confirm-identity"
    )


def tell_among(found: CohortLikeness) -> None:
    """Say who stands out in a cohort, before anybody agrees."""
    if found.same:
        pairs = ", ".join(f"{one} and {other}" for one, other in found.same[:SHOWN])
        more = f" and {len(found.same) - SHOWN:,} more pairs" if len(found.same) > SHOWN else ""
        err.print(escape(f"  · one person twice, or identical twins: {pairs}{more}; a study would count them twice"))
    if found.first:
        err.print(f"  · {counted(found.first, 'pair')} of parents and children, or siblings")
    if found.outliers:
        more = f" and {len(found.outliers) - SHOWN:,} more" if len(found.outliers) > SHOWN else ""
        names = ", ".join(found.outliers[:SHOWN])
        err.print(escape(f"  · heterozygosity far from the others': {names}{more}; their samples may be mixed"))
