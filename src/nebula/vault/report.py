"""What an owner's record says about them, computed in their own vault. Nothing of it is sent to anybody.

What it takes besides the record is the owner's to give: a cohort of reference people, scores, tables of meanings.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np

from nebula.analysis.own_place import Neighbourhood, ScoreStanding, place_on_components, stand_on_score
from nebula.analysis.scoring_file import ScoringFile
from nebula.genome.meanings import Finding, look_up
from nebula.genome.record.person import PersonalCalls
from nebula.genome.record.vector import parse_vector
from nebula.protocol.errors import RejectedInputError
from nebula.protocol.study import PartKind
from nebula.storage.panels import Panels
from nebula.vault.import_ import Vault
from nebula.vault.manifests import manifest_of, read_part
from nebula.vault.report_files import Given, ReferenceCohort, check_build, read_cohort, read_score, read_table
from nebula.vault.state import Record

ENOUGH_OF_SCORE = 0.5
"""Of a score's variants; a sum over fewer is another score, and nobody is told where they stand on it."""
WHOLE_SCORE = 0.75
FEW_OF_GROUP = 50


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """What the record has: of the panel's sites, and of the X."""

    assembly: str
    rows: int
    panel: str
    panel_sites: int
    called: int
    heterozygous: int
    homozygous_alternate: int
    sex: str

    @property
    def call_rate(self) -> float:
        """Share of the panel's sites that have a genotype."""
        return self.called / self.panel_sites


class Ancestry(msgspec.Struct, frozen=True, kw_only=True):
    """Whom of a cohort the person lies nearest to: how many of the ``nearest`` people carry which label."""

    cohort: str
    people: int
    variants: int
    components: tuple[float, ...]
    nearest: int
    groups: dict[str, int]


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """A score, and the share of reference people who have a lower one; None where too few of its variants are there."""

    name: str
    file: str
    variants: int
    asked: int
    value: float | None
    share_below: float | None
    group: str
    share_below_in_group: float | None
    whole: bool


class OwnReport(msgspec.Struct, frozen=True, kw_only=True):
    """All of it."""

    label: str
    record: str
    quality: Quality
    ancestry: Ancestry | None
    scores: tuple[Score, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """What plots are drawn from: the reference's people are public, and stay out of the report's JSON."""

    neighbourhood: Neighbourhood | None = None
    groups: tuple[str, ...] = ()
    standings: Mapping[str, ScoreStanding] = field(default_factory=dict)


_NEEDED = (PartKind.GENOTYPES, PartKind.VARIANTS)


def make_report(vault: Vault, record: Record, panels: Panels, given: Given) -> tuple[OwnReport, Drawn]:
    """Make a report of one of the vault's records.

    Raises:
        RejectedInputError: a file is not valid, or on another assembly than the record.
        UnavailableError: the record's storage is away.
        IntegrityError: it altered the record.
    """
    if given.scores and given.cohort is None:
        raise RejectedInputError(
            "report.cohort",
            "a score says nothing without other people's scores to compare it with",
            hint="add --cohort PEOPLE.vcf.gz, a cohort of reference people such as the 1000 Genomes Project's",
        )
    # Files before the record: whoever named a wrong one should not wait for the rest.
    tables = [read_table(file) for file in given.meanings]
    scores = [(file, read_score(file, without_complex=given.without_complex)) for file in given.scores]
    manifest = manifest_of(vault.owner, record)
    raw = {part.kind: read_part(vault.owner, record, part) for part in manifest.parts if part.kind in _NEEDED}
    parts = {part.kind: part for part in manifest.parts}
    assembly = parts[PartKind.VARIANTS].assembly or ""
    person = PersonalCalls.of(raw[PartKind.VARIANTS], assembly)
    panel = panels.choose(parts[PartKind.GENOTYPES].panel)
    _, het, hom, missing = parse_vector(raw[PartKind.GENOTYPES], panel).counts()
    for file, (build, _) in zip(given.meanings, tables, strict=True):
        check_build(file, build, assembly)
    for file, score in scores:
        check_build(file, score.build or given.score_build, assembly)
    cohort = None if given.cohort is None else read_cohort(given.cohort, given.groups, assembly)
    dosage = np.zeros(0, np.int8) if cohort is None else person.dosage(cohort.panel)
    place = None if cohort is None else place_on_components(dosage, cohort.matrix, cohort.panel.chromosomes())
    standings = {
        str(file): stand_on_score(dosage, cohort.matrix, cohort.sites, score.variants)
        for file, score in scores
        if cohort is not None
    }
    ancestry = None if cohort is None or place is None else _ancestry(cohort, place)
    report = OwnReport(
        label=record.label,
        record=record.record,
        quality=Quality(
            assembly=assembly,
            rows=len(person.keys),
            panel=panel.name,
            panel_sites=panel.sites,
            called=panel.sites - missing,
            heterozygous=het,
            homozygous_alternate=hom,
            sex=person.sex,
        ),
        ancestry=ancestry,
        scores=tuple(
            _standing(file, score, standings[str(file)], cohort, ancestry)
            for file, score in scores
            if cohort is not None
        ),
        findings=tuple(finding for _, rows in tables for finding in look_up(rows, person)),
    )
    return report, Drawn(place, () if cohort is None else cohort.groups, standings)


def _ancestry(cohort: ReferenceCohort, place: Neighbourhood) -> Ancestry:
    labels = Counter(cohort.groups[row] or "without a label" for row in place.nearest.tolist())
    return Ancestry(
        cohort=cohort.name,
        people=cohort.matrix.samples,
        variants=place.variants,
        components=tuple(float(one) for one in place.person),
        nearest=len(place.nearest),
        groups=dict(labels.most_common()),
    )


def _standing(
    file: Path, score: ScoringFile, standing: ScoreStanding, cohort: ReferenceCohort, ancestry: Ancestry | None
) -> Score:
    told = standing.variants >= ENOUGH_OF_SCORE * standing.asked
    group = next(iter(ancestry.groups)) if ancestry is not None else ""
    inside = np.array([one == group for one in cohort.groups], np.bool_)
    return Score(
        name=score.name or file.name,
        file=str(file),
        variants=standing.variants,
        asked=standing.asked,
        value=standing.person if told else None,
        share_below=standing.share_below() if told else None,
        group=group,
        share_below_in_group=standing.share_below(inside) if told and inside.sum() >= FEW_OF_GROUP else None,
        whole=standing.variants >= WHOLE_SCORE * standing.asked,
    )
