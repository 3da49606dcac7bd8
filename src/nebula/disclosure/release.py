"""The gate: what an enclave found goes in, what may leave comes out, or a refusal.

In this order, for every result class:
1. the cohort is as large as production's floor, the study's own and the class' demand, in records and in
   people analysed;
2. every record used allows the class, and ``full`` goes to accredited buyers only;
3. nobody stands in a class of fewer than ten by trait or covariate, and the model is small for its cohort;
4. rows below the cell floor go;
5. what is left is cut down to the class, rounded, masked or noised.
No argument turns a step off. The result of step 5 is all that ``Released`` holds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from nebula.analysis import report
from nebula.analysis.parameters import (
    AlleleFrequency,
    Association,
    KinshipCounts,
    LinearGwas,
    LogisticGwas,
    Parameters,
    PopulationStructure,
)
from nebula.disclosure import floors as limits
from nebula.disclosure.noise import ALLELES_PER_PERSON, noised_counts
from nebula.disclosure.suppression import (
    enough_copies,
    enough_people,
    mask_genotype_cells,
    mask_small,
    round_significant,
    select,
)
from nebula.protocol.errors import NotPermittedError
from nebula.protocol.study import ResultClass

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nebula.analysis.catalogue import AnalysisResult
    from nebula.analysis.inputs import Table
    from nebula.disclosure.floors import Floors

ESTIMATE_DIGITS = 6
FREQUENCY_DIGITS = 4
P_DECIMALS = 4
SITE_COLUMNS = ("chromosome", "base_pair_location", "effect_allele", "other_allele", "variant_id")


# Which classes each analysis has. Noise on associations would have to be calibrated first.
OFFERED: dict[type[Parameters], tuple[ResultClass, ...]] = {
    LinearGwas: (ResultClass.HITS, ResultClass.FULL),
    LogisticGwas: (ResultClass.HITS, ResultClass.FULL),
    AlleleFrequency: (ResultClass.NOISED, ResultClass.FULL),
    KinshipCounts: (ResultClass.FULL,),
    PopulationStructure: (ResultClass.FULL,),
}


@dataclass(frozen=True, slots=True)
class ReleaseTerms:
    """What the study asked for. ``minimum_records`` is the study's own floor; it can only raise ours."""

    result_class: ResultClass
    minimum_records: int
    micro_rho: int = 0


@dataclass(frozen=True, slots=True)
class ReleaseContext:
    """What the enclave knows for certain when it releases.

    Attributes:
        records: records that are still permitted, and whose people the result is about.
        records_allowing: those of them whose consent allows the class.
        buyer_accredited: by the ledger.
        floors: in force; only a simulated trust root may come with simulated ones.
    """

    records: int
    records_allowing: int
    buyer_accredited: bool
    floors: Floors = field(default=limits.PRODUCTION)


@dataclass(frozen=True, slots=True, eq=False)
class Released:
    """What may leave, and nothing else.

    Attributes:
        analysis: name and version.
        result_class: what it was cut down to.
        table: one row per variant (or degree, or square of a grid) that may be seen.
        quantiles: QQ curve (``expected``, ``observed``) of an association; empty otherwise.
        summary: what else is told; plain numbers and text.
        micro_rho: privacy budget that every record used has spent on this.
        file: name of the table's file, where there are no quantiles.
    """

    analysis: str
    result_class: ResultClass
    table: Table
    quantiles: Table
    summary: dict[str, Any]
    micro_rho: int
    file: str = "frequencies.tsv"

    def to_files(self) -> dict[str, bytes]:
        """Serialise: file name to bytes. ``report.files_digest`` of it is the result's digest."""
        files = {"metadata.yaml": report.metadata_yaml(self.summary)}
        if self.quantiles:
            return files | {
                "associations.tsv": report.association_tsv(self.table),
                "qq.tsv": report.to_tsv(self.quantiles),
            }
        if self.file == "frequencies.tsv":
            return files | {self.file: report.frequency_tsv(self.table)}
        return files | {self.file: report.to_tsv(self.table)}


def release(result: AnalysisResult, terms: ReleaseTerms, context: ReleaseContext) -> Released:
    """Cut a result down to what may leave.

    Raises:
        NotPermittedError: a floor or a consent says no; the code says which.
    """
    _check_cohort(result, terms, context)
    _check_class(result, terms, context)
    _check_groups(result)
    _check_left_out(result)
    if terms.result_class is ResultClass.NOISED:
        return _noised(result, terms, context)
    if isinstance(result.parameters, KinshipCounts):
        return _counts(result, mask_small(result.table, "count"), terms, context, file="kinship.tsv")
    if isinstance(result.parameters, PopulationStructure):
        return _counts(result, enough_people(result.table), terms, context, file="structure.tsv")
    visible = select(result.table, enough_copies(result.table))
    if isinstance(result.parameters, Association):
        return _associations(result, visible, terms, context)
    return _frequencies(result, visible, terms, context)


def _check_cohort(result: AnalysisResult, terms: ReleaseTerms, context: ReleaseContext) -> None:
    floor = max(context.floors.minimum_cohort, terms.minimum_records)
    if terms.result_class is ResultClass.FULL:
        floor = max(floor, limits.MINIMUM_FULL_COHORT)
    if result.people > context.records:
        raise ValueError(f"{result.people} people cannot come from {context.records} records")
    if result.people < floor:
        raise NotPermittedError(
            "disclosure.cohort-too-small",
            f"a {terms.result_class} result of this study is about at least {floor:,} people",
            hint="people without the trait or a covariate are not counted",
        )


def _check_class(result: AnalysisResult, terms: ReleaseTerms, context: ReleaseContext) -> None:
    if context.records_allowing < context.records:
        raise NotPermittedError(
            "disclosure.class-not-consented", f"not every record used allows a {terms.result_class} result"
        )
    if terms.result_class is ResultClass.FULL and not context.buyer_accredited:
        raise NotPermittedError("disclosure.not-accredited", "complete summary statistics go to accredited buyers only")
    offered = OFFERED[type(result.parameters)]
    if terms.result_class not in offered:
        raise NotPermittedError(
            "disclosure.class-not-offered",
            f"{result.analysis} has no {terms.result_class} results",
            hint=f"ask for {' or '.join(offered)}",
        )
    grouped = isinstance(result.parameters, AlleleFrequency) and result.parameters.groups is not None
    if terms.result_class is ResultClass.NOISED and grouped:
        raise NotPermittedError(
            "disclosure.class-not-offered", "frequencies by group have no noised results", hint="ask for full"
        )
    if terms.result_class is ResultClass.NOISED and terms.micro_rho <= 0:
        raise NotPermittedError("disclosure.no-budget", "a noised result needs a privacy budget above zero")


def _check_groups(result: AnalysisResult) -> None:
    if result.smallest_group < limits.MINIMUM_CELL:
        raise NotPermittedError(
            "disclosure.group-too-small",
            f"a class of the trait or of a covariate has fewer than {limits.MINIMUM_CELL} people",
            hint="join rare classes, or leave the covariate out",
        )
    if result.people < limits.MINIMUM_PEOPLE_PER_PARAMETER * result.fitted:
        raise NotPermittedError(
            "disclosure.saturated",
            f"{result.fitted} covariates are too many for {result.people} people",
            hint=f"at least {limits.MINIMUM_PEOPLE_PER_PARAMETER} people for each of them",
        )


def _check_left_out(result: AnalysisResult) -> None:
    """The same people with and without their relatives are two cohorts that must differ in enough people."""
    if 0 < result.left_out < limits.MINIMUM_DIFFERENCE:
        raise NotPermittedError(
            "disclosure.differencing",
            f"fewer than {limits.MINIMUM_DIFFERENCE} people would be left out as relatives of others",
            hint="keep relatives",
        )


def _summary(
    result: AnalysisResult, terms: ReleaseTerms, context: ReleaseContext, found: dict[str, Any]
) -> dict[str, Any]:
    """What every result says of itself. Sizes only: nothing here depends on single genotypes."""
    return (
        {
            "analysis": result.analysis,
            "analysis_digest": result.digest.hex(),
            "coordinate_system": "1-based",
            "parameters": msgspec.to_builtins(result.parameters),
            "result_class": str(terms.result_class),
            "sample_size": result.people,
            "simulated_floors": context.floors.simulated,
            "variants_in_panel": result.sites,
        }
        | dict(result.summary)
        | found
    )


def _associations(result: AnalysisResult, visible: Table, terms: ReleaseTerms, context: ReleaseContext) -> Released:
    """Hits or everything; inflation and quantiles always, computed from what the floors let through."""
    logs: NDArray[np.float64] = visible["neg_log_10_p_value"].round(P_DECIMALS)
    rounded = visible | {
        "beta": round_significant(visible["beta"], ESTIMATE_DIGITS),
        "standard_error": round_significant(visible["standard_error"], ESTIMATE_DIGITS),
        "effect_allele_frequency": np.round(visible["effect_allele_frequency"], FREQUENCY_DIGITS),
        "neg_log_10_p_value": logs,
    }
    for name in ("effect_allele_frequency_cases", "effect_allele_frequency_controls"):
        if name in rounded:
            rounded[name] = np.round(rounded[name], FREQUENCY_DIGITS)
    columns = [*report.ASSOCIATION_COLUMNS, *(name for name in report.CASE_COLUMNS if name in rounded)]
    hits = logs > -np.log10(limits.HIT_P)
    shown = np.ones_like(hits) if terms.result_class is ResultClass.FULL else hits
    quantiles = report.qq_quantiles(logs)
    found = {
        "file_type": "GWAS-SSF v1.0",
        "hits": int(hits.sum()),
        "lambda_gc": round(report.lambda_gc(logs), 4),
        "variants_tested": len(logs),
    }
    return Released(
        analysis=result.analysis,
        result_class=terms.result_class,
        table=select({name: rounded[name] for name in columns}, shown),
        quantiles={name: np.round(column, P_DECIMALS) for name, column in quantiles.items()},
        summary=_summary(result, terms, context, found),
        micro_rho=0,
    )


def _frequencies(result: AnalysisResult, visible: Table, terms: ReleaseTerms, context: ReleaseContext) -> Released:
    masked = mask_genotype_cells(visible)
    return Released(
        analysis=result.analysis,
        result_class=terms.result_class,
        table={name: masked[name] for name in report.FREQUENCY_COLUMNS if name in masked},
        quantiles={},
        summary=_summary(result, terms, context, {"variants_shown": len(masked["n"])}),
        micro_rho=0,
    )


def _counts(
    result: AnalysisResult, visible: Table, terms: ReleaseTerms, context: ReleaseContext, *, file: str
) -> Released:
    """Counts of people, pairs or families, small ones masked or left out already."""
    return Released(
        analysis=result.analysis,
        result_class=terms.result_class,
        table=visible,
        quantiles={},
        summary=_summary(result, terms, context, {}),
        micro_rho=0,
        file=file,
    )


def _noised(result: AnalysisResult, terms: ReleaseTerms, context: ReleaseContext) -> Released:
    """Every variant that was asked for, seen or not: which ones are shown must not depend on the data."""
    if not len(result.table["n"]):
        raise NotPermittedError("disclosure.nothing-asked", "no variant of the panel lies in these regions")
    noised = noised_counts(result.table["effect_allele_count"], result.people, terms.micro_rho)
    alleles = ALLELES_PER_PERSON * result.people
    table = {name: result.table[name] for name in SITE_COLUMNS} | {
        "effect_allele_count": noised.counts,
        "effect_allele_frequency": noised.counts / alleles,
        "n": np.full(len(noised.counts), result.people),
    }
    found = {
        "missing_genotypes": "count as two copies of the other allele",
        "noise_scale_alleles": round(noised.scale, 4),
        "privacy_micro_rho": noised.micro_rho,
        "variants_shown": len(noised.counts),
    }
    return Released(
        analysis=result.analysis,
        result_class=terms.result_class,
        table=table,
        quantiles={},
        summary=_summary(result, terms, context, found),
        micro_rho=noised.micro_rho,
    )
