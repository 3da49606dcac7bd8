"""Who a new file is about: compared with the owner's earlier records and with what its owner says of it.

All of it is computed in the vault, over the owner's own records, and none of it leaves. Kinship is KING-robust with the
borders between degrees of Manichaikul et al. (Bioinformatics 26, 2010), see :mod:`nebula.analysis.kinship`; it compares
two people with each other alone, so no frequencies are needed. Heterozygosity that lies more than three standard
deviations from a cohort's mean hints at contamination or inbreeding (Anderson et al., Nature Protocols 5, 2010).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nebula.analysis.kinship import DEGREES, find_relatives
from nebula.database import reading
from nebula.genome.allele_balance import AlleleBalance, allele_balance
from nebula.genome.autosomes import compared
from nebula.genome.imported import ImportedCohort, ImportReport
from nebula.genome.inflate import Source
from nebula.genome.panel import Panel
from nebula.genome.record import AnalysisVector, parse_vector
from nebula.genome.zipped import unzipped
from nebula.protocol.errors import UnavailableError
from nebula.protocol.ids import Address
from nebula.protocol.study import PartKind
from nebula.vault import state
from nebula.vault.files import open_file
from nebula.vault.import_ import Vault
from nebula.vault.manifests import manifest_of, read_part
from nebula.vault.state import Record

ENOUGH_SITES = 500
"""Over so many sites an estimate's standard error is about 0.04: a quarter of the border of the first degree."""

MOST_SITES = 100_000
MOST_SITES_OF_COHORT = 20_000
MOST_PEOPLE = 20_000
"""All pairs of so many are compared in a minute or two; of a larger cohort none are."""

OUTLIER_DEVIATIONS = 3
_ENOUGH_PEOPLE = 20


class Degree(StrEnum):
    """How closely two records are related."""

    SAME = "the same person, or an identical twin"
    FIRST = "a parent, child or sibling"
    SECOND = "a relative of the second degree"
    THIRD = "a relative of the third degree"
    STRANGER = "no close relative"
    UNKNOWN = "cannot be told"


@dataclass(frozen=True, slots=True)
class Likeness:
    """How a new file compares with a record: kinship over the sites that both have; None where it cannot be told."""

    record: Address
    label: str
    sites: int
    kinship: float | None
    degree: Degree


@dataclass(frozen=True, slots=True)
class CohortLikeness:
    """What stands out among the people of one file, by name.

    Attributes:
        same: pairs that look like one person twice, or identical twins.
        first: how many pairs look like parents and children, or siblings.
        outliers: people whose heterozygosity stands out.
    """

    same: tuple[tuple[str, str], ...]
    first: int
    outliers: tuple[str, ...]


def compare(vault: Vault, panel: Panel, vector: AnalysisVector) -> list[Likeness]:
    """Compare a new file with every earlier record of the owner's own, by label.

    Args:
        vault: the owner's.
        panel: that the new vector is on; a record that has none on it cannot be compared.
        vector: of the new file.

    Raises:
        IntegrityError: the storage altered an earlier record.
    """
    with reading(vault.engine) as connection:
        own = [record for record in state.every_record(connection) if record.donor is None]
    return [_likeness(vault, panel, vector, record) for record in sorted(own, key=lambda one: one.label)]


def read_balance(file: Path, report: ImportReport) -> AlleleBalance | None:
    """Read a genome file's allele balance; None where it does not tell reads, as consumer files and BCF do not here."""
    if not report.format.startswith("VCF"):
        return None
    with open_file(file) as opened:
        return allele_balance(unzipped(Source(opened, name=file.name, kind="vcf")))


def doubts(
    found: Sequence[Likeness], report: ImportReport, *, stated_sex: str | None, balance: AlleleBalance | None
) -> list[str]:
    """Return what an owner should confirm before the record is made: a sentence for each, none where all is well.

    Args:
        found: the earlier records, compared.
        report: on the new file.
        stated_sex: ``male`` or ``female``, if the owner said.
        balance: of the new file, where it tells.
    """
    known = [one for one in found if one.degree is not Degree.UNKNOWN]
    said = [
        f"the file is about the same person as {one.label!r}, or an identical twin: a study would count them twice"
        for one in known
        if one.degree is Degree.SAME
    ]
    if known and not any(one.degree in (Degree.SAME, Degree.FIRST) for one in known):
        said.append("the file is about nobody close to the people of this vault: is it yours to offer?")
    if stated_sex is not None and report.sex not in (stated_sex, "unclear"):
        said.append(f"you say {stated_sex}, and the X says {report.sex}: is it the right file?")
    if balance is not None and balance.suspicious:
        said.append(
            f"of {balance.calls:,} heterozygous calls {balance.skewed:,} have nearly all reads of one allele: the "
            "sample may be mixed with somebody else's"
        )
    return said


def compare_among(genomes: ImportedCohort) -> CohortLikeness | None:
    """Look for people who stand in a cohort twice, and for heterozygosity that stands out; None of too large a one."""
    if len(genomes) > MOST_PEOPLE:
        return None
    matrix = genomes.compared(most_sites=MOST_SITES_OF_COHORT)
    pairs = find_relatives(matrix, DEGREES[1]) if matrix.variants >= ENOUGH_SITES else None
    if pairs is None:
        return CohortLikeness((), 0, ())
    same = pairs.at_least(DEGREES[0])
    names = genomes.samples
    twice = tuple((names[one], names[other]) for one, other in zip(same.first, same.second, strict=True))
    return CohortLikeness(twice, len(pairs.first) - len(twice), _outliers(matrix.dosage(), names))


def _outliers(dosage: NDArray[np.int8], names: Sequence[str]) -> tuple[str, ...]:
    called = (dosage >= 0).sum(axis=0)
    if len(names) < _ENOUGH_PEOPLE:
        return ()
    share = np.where(called, (dosage == 1).sum(axis=0) / np.maximum(called, 1), np.nan)
    far = np.abs(share - np.nanmean(share)) > OUTLIER_DEVIATIONS * np.nanstd(share)
    return tuple(names[person] for person in np.flatnonzero(far).tolist())


def _likeness(vault: Vault, panel: Panel, vector: AnalysisVector, record: Record) -> Likeness:
    try:
        earlier = _vector_of(vault, panel, record)
    except UnavailableError:  # what the storage has lost must not keep its owner from importing
        earlier = None
    if earlier is None:
        return Likeness(record.record, record.label, 0, None, Degree.UNKNOWN)
    both = np.stack([np.frombuffer(one.codes, np.uint8) for one in (vector, earlier)])
    matrix = compared(both, panel, most_sites=MOST_SITES)
    sites = int((matrix.dosage() >= 0).all(axis=1).sum())
    kinship = float(find_relatives(matrix, -np.inf).kinship[0])
    if sites < ENOUGH_SITES or np.isnan(kinship):
        return Likeness(record.record, record.label, sites, None, Degree.UNKNOWN)
    return Likeness(record.record, record.label, sites, kinship, degree_of(kinship))


def _vector_of(vault: Vault, panel: Panel, record: Record) -> AnalysisVector | None:
    for part in manifest_of(vault.owner, record).parts:
        if part.kind is PartKind.GENOTYPES and part.panel == panel.panel_id:
            return parse_vector(read_part(vault.owner, record, part), panel)
    return None


def degree_of(kinship: float) -> Degree:
    """Return the degree of a KING-robust coefficient."""
    degrees = (Degree.SAME, Degree.FIRST, Degree.SECOND, Degree.THIRD)
    return next((degree for border, degree in zip(DEGREES, degrees, strict=True) if kinship >= border), Degree.STRANGER)
