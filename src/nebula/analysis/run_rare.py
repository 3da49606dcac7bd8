"""``rare-variants``: burden, SKAT and SKAT-O of each region.

A region's variants are those of the panel and, if asked for, those off it, whose rarer allele is rare enough in the
people analysed. Whoever is not known to carry a variant off the panel counts as homozygous for the reference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nebula.analysis.effect import effect_if_any, is_case_control
from nebula.analysis.people import cohort_components, smallest_group, trait_and_covariates
from nebula.analysis.result import AnalysisResult
from nebula.analysis.skat import NullModel, beta_weights, run_region_tests
from nebula.genome.keys import between

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nebula.analysis.inputs import CohortInput, Table
    from nebula.analysis.region_parameters import RareVariants
    from nebula.genome.private import PrivateVariants

_TEXT = ("region",)
# A region whose burden these codes refuse has no estimate; anything else ends the run.


def run_rare(analysis: str, parameters: RareVariants, cohort: CohortInput) -> AnalysisResult:
    """One row for each region in which somebody carries a rare variant."""
    people, trait, covariates = trait_and_covariates(parameters.trait, parameters.covariates, cohort)
    if trait is None:
        raise ValueError("rare variants are tested on a trait")
    chosen = cohort.select_people(people)
    covariates = np.hstack([covariates, cohort_components(parameters, chosen)])
    null = NullModel.fit(trait, covariates)
    places = _Places.of(chosen)
    rows: list[dict[str, Any]] = []
    for name, spans in parameters.spans.items():
        region = gather_region(chosen, places.rows(spans), spans, parameters)
        if region.genotypes.shape[1]:
            found = _test(region, null, trait, covariates)
            rows += [] if found is None else [{"region": name, **_span(spans), **found}]
    table: Table = {
        name: np.array([row[name] for row in rows], dtype=object if name in _TEXT else None)
        for name in (rows[0] if rows else _empty())
    }
    return AnalysisResult(
        analysis=analysis,
        parameters=parameters,
        table=table,
        people=len(trait),
        smallest_group=smallest_group(np.column_stack([trait, covariates])),
        fitted=2 + covariates.shape[1],
        sites=len(cohort.sites),
        summary={"regions_asked": len(parameters.spans), "private_variants": parameters.private},
    )


@dataclass(frozen=True, slots=True, eq=False)
class RegionGenotypes:
    """A region's rare variants.

    Attributes:
        genotypes: copies of the rarer allele, missing ones set to the mean, shape (samples, variants).
        frequency: of the rarer alleles among those observed, shape (variants,).
    """

    genotypes: NDArray[np.float64]
    frequency: NDArray[np.float64]

    @property
    def carriers(self) -> NDArray[np.bool_]:
        """Who carries any of them, shape (samples,)."""
        return np.asarray((self.genotypes >= 1).any(axis=1))


def gather_region(
    cohort: CohortInput,
    rows: NDArray[np.int64],
    spans: tuple[tuple[int, int, int], ...],
    parameters: RareVariants,
) -> RegionGenotypes:
    """Lay a region's rare variants side by side: those of some rows of the panel, then those off it."""
    dosage = cohort.matrix.dosage(rows).astype(np.float64)
    if cohort.private is not None:
        parts = [cohort.private.between(*between(*span)) for span in spans]
        dosage = np.vstack([dosage, *(_spread(part) for part in parts)])
    seen = dosage >= 0
    observed = seen.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        alternate = np.where(seen, dosage, 0).sum(axis=1) / (2 * observed)
    turned = alternate > 0.5  # noqa: PLR2004 - the rarer allele is the one counted
    frequency = np.where(turned, 1 - alternate, alternate)
    called = observed >= (1 - parameters.maximum_missing) * dosage.shape[1]
    rare = (frequency > 0) & (frequency <= parameters.maximum_maf) & called
    copies = np.where(turned[:, None], 2 - dosage, dosage)
    imputed = np.where(seen, copies, 2 * frequency[:, None])
    return RegionGenotypes(imputed[rare].T, frequency[rare])


def _spread(part: PrivateVariants) -> NDArray[np.float64]:
    """Write carriers out as rows of everybody."""
    out = np.zeros((len(part), part.samples))
    out[np.repeat(np.arange(len(part)), np.diff(part.offsets)), part.carriers] = part.codes
    return out


def _test(
    region: RegionGenotypes, null: NullModel, trait: NDArray[np.float64], covariates: NDArray[np.float64]
) -> dict[str, Any] | None:
    """Test a region; None where its burden has no estimate."""
    weights = beta_weights(region.frequency)
    effect = effect_if_any(trait, region.genotypes @ weights, covariates)
    if effect is None:
        return None
    found = run_region_tests(null, region.genotypes, weights)
    carriers = region.carriers
    groups = [trait == value for value in np.unique(trait)] if is_case_control(trait) else [np.ones_like(carriers)]
    return {
        "variants": region.genotypes.shape[1],
        "carriers": int(carriers.sum()),
        "beta": effect.beta,
        "standard_error": effect.standard_error,
        "neg_log_10_p_burden": found.burden,
        "neg_log_10_p_skat": found.skat,
        "neg_log_10_p_skat_o": found.skat_o,
        "rho": found.rho,
        "fewest": min(min(int(carriers[group].sum()), int((~carriers)[group].sum())) for group in groups),
        "leverage": max(effect.leverage, _largest_share(region.genotypes * weights)),
    }


def _largest_share(weighted: NDArray[np.float64]) -> float:
    """The largest share of one person in the spread of all variants together, and so in what SKAT adds up."""
    squares = ((weighted - weighted.mean(axis=0)) ** 2).sum(axis=1)
    return float(squares.max() / squares.sum())


def _span(spans: tuple[tuple[int, int, int], ...]) -> dict[str, int]:
    return {
        "chromosome": spans[0][0],
        "start": min(first for _, first, _ in spans),
        "end": max(last for _, _, last in spans),
    }


def _empty() -> tuple[str, ...]:
    counts = ("chromosome", "start", "end", "variants", "carriers")
    logs = ("neg_log_10_p_burden", "neg_log_10_p_skat", "neg_log_10_p_skat_o")
    return ("region", *counts, "beta", "standard_error", *logs, "rho", "fewest", "leverage")


@dataclass(frozen=True, slots=True, eq=False)
class _Places:
    """The panel's sites by place."""

    order: NDArray[np.int64]
    places: NDArray[np.int64]

    @classmethod
    def of(cls, cohort: CohortInput) -> _Places:
        places = cohort.sites.chromosome_numbers() << 32 | cohort.sites.position
        order = np.argsort(places, kind="stable")
        return cls(order, places[order])

    def rows(self, spans: tuple[tuple[int, int, int], ...]) -> NDArray[np.int64]:
        """Rows of the sites within any of the spans."""
        found = [np.zeros(0, dtype=np.int64)]
        for chromosome, first, last in spans:
            start = np.searchsorted(self.places, chromosome << 32 | first, "left")
            stop = np.searchsorted(self.places, chromosome << 32 | last, "right")
            found.append(self.order[start:stop])
        return np.concatenate(found)
