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
from nebula.genome.autosomes import autosomal_part
from nebula.genome.matrix import PackedMatrix
from nebula.genome.meanings import Finding, look_up
from nebula.genome.star_alleles import StarFinding, call_star_alleles
from nebula.storage.panels import PanelShelf
from nebula.vault.import_ import Vault
from nebula.vault.report_files import NO_LABEL, Given, ReferenceCohort
from nebula.vault.report_inputs import ReportInputs, read_inputs
from nebula.vault.state import Record

ENOUGH_OF_SCORE = 0.5
"""Of a score's variants; a sum over fewer is another score, and nobody is told where they stand on it."""
WHOLE_SCORE = 0.75
"""Of a score's variants; from here on nobody is told that theirs is a part of the score."""
FEW_OF_GROUP = 50
"""People of a group in the cohort; a share among fewer is not told."""


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """What the record has.

    ``rows`` counts the variants that have a row of their own in the standard record, whatever they say; ``called`` the
    sites of one of its panels, ``NAME@VERSION``, that have a genotype. ``autosomal`` counts are of chromosomes 1 to 22.
    """

    assembly: str
    rows: int
    panel: str
    panel_sites: int
    called: int
    heterozygous: int
    homozygous_alternate: int
    autosomal_called: int
    autosomal_heterozygous: int
    sex: str

    @property
    def call_rate(self) -> float:
        """Share of the panel's sites that have a genotype."""
        return self.called / self.panel_sites

    @property
    def heterozygosity(self) -> float | None:
        """Share of the autosomal calls that are heterozygous; None where there is no call."""
        return self.autosomal_heterozygous / self.autosomal_called if self.autosomal_called else None


class Ancestry(msgspec.Struct, frozen=True, kw_only=True):
    """Whom of a cohort the person lies nearest to: how many of the ``nearest`` people carry which label.

    ``components`` are the person's place on the leading ones of the cohort, of ``people`` and on so many ``variants``.
    """

    cohort: str
    people: int
    variants: int
    components: tuple[float, ...]
    nearest: int
    groups: dict[str, int]


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """Where the person stands on a score; None where too few of its variants are there.

    ``asked`` counts the rows of the scoring file; ``variants`` those that are in the record and in the reference, and
    that everybody's score is a sum over. ``ambiguous`` of them were left out although the reference has them: A/T and
    C/G, whose strand the file does not say, and those that several of its variants fit. ``whole``: whether they are
    enough for what was published of the score.
    ``share_below`` is the share of the reference's people who have a lower one, with half of those who have the same;
    ``share_below_in_group`` likewise of ``group``, the label that most of the nearest people carry.
    """

    name: str
    file: str
    variants: int
    asked: int
    ambiguous: int
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
    star_alleles: tuple[StarFinding, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """What plots are drawn from: the reference's people are public, and stay out of the report's JSON."""

    neighbourhood: Neighbourhood | None = None
    groups: tuple[str, ...] = ()
    standings: Mapping[str, ScoreStanding] = field(default_factory=dict)


def make_report(vault: Vault, record: Record, panels: PanelShelf, given: Given) -> tuple[OwnReport, Drawn]:
    """Make a report of one of the vault's records.

    Raises:
        RejectedInputError: a file is not valid, or on another assembly than the record; or the record is not on the
            panel that was asked for.
        UnavailableError: the record's storage is away.
        IntegrityError: it altered the record.
    """
    inputs = read_inputs(vault, record, panels, given)
    drawn = _compare(inputs)
    ancestry = _ancestry(inputs.cohort, drawn)
    report = OwnReport(
        label=record.label,
        record=record.record,
        quality=_quality(inputs),
        ancestry=ancestry,
        scores=tuple(_standing(file, score, drawn, ancestry) for file, score in inputs.scores),
        findings=look_up(inputs.meanings, inputs.person),
        star_alleles=call_star_alleles(inputs.star_alleles, inputs.person),
    )
    return report, drawn


def _compare(inputs: ReportInputs) -> Drawn:
    """Put the person among the cohort's people."""
    cohort = inputs.cohort
    if cohort is None:
        return Drawn()
    dosage, sites = inputs.person.dosage(cohort.panel), cohort.sites
    place = place_on_components(dosage, cohort.matrix, cohort.panel.chromosomes())
    standings = {
        str(file): stand_on_score(dosage, cohort.matrix, sites, score.variants) for file, score in inputs.scores
    }
    return Drawn(place, cohort.groups, standings)


def _quality(inputs: ReportInputs) -> Quality:
    row = np.frombuffer(inputs.codes, np.uint8).reshape(1, -1)
    _, heterozygous, homozygous, missing = PackedMatrix(row, inputs.panel.sites).counts()[0].tolist()
    autosomal = autosomal_part(row, inputs.panel).counts()[0].tolist()
    return Quality(
        assembly=inputs.person.assembly,
        rows=len(inputs.person.keys),
        panel=f"{inputs.panel.name}@{inputs.panel.version}",
        panel_sites=inputs.panel.sites,
        called=inputs.panel.sites - missing,
        heterozygous=heterozygous,
        homozygous_alternate=homozygous,
        autosomal_called=sum(autosomal[:3]),
        autosomal_heterozygous=autosomal[1],
        sex=inputs.person.sex,
    )


def _ancestry(cohort: ReferenceCohort | None, drawn: Drawn) -> Ancestry | None:
    place = drawn.neighbourhood
    if cohort is None or place is None:
        return None
    return Ancestry(
        cohort=cohort.name,
        people=cohort.matrix.samples,
        variants=place.variants,
        components=tuple(float(one) for one in place.person),
        nearest=len(place.nearest),
        groups=dict(Counter(cohort.groups[row] for row in place.nearest.tolist()).most_common()),
    )


def _standing(file: Path, score: ScoringFile, drawn: Drawn, ancestry: Ancestry | None) -> Score:
    standing = drawn.standings[str(file)]
    asked = standing.asked + sum(score.left_out.values())
    told = standing.variants >= ENOUGH_OF_SCORE * asked
    group = NO_LABEL if ancestry is None else next(iter(ancestry.groups))
    inside = np.array([one == group != NO_LABEL for one in drawn.groups], np.bool_)
    return Score(
        name=score.name or file.name,
        file=str(file),
        variants=standing.variants,
        asked=asked,
        ambiguous=standing.ambiguous,
        value=standing.person if told else None,
        share_below=standing.share_below() if told else None,
        group=group,
        share_below_in_group=standing.share_below(inside) if told and inside.sum() >= FEW_OF_GROUP else None,
        whole=standing.variants >= WHOLE_SCORE * asked,
    )
