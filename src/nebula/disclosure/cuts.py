"""What of associations, frequencies and counts may leave: each result is cut down to its class and rounded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nebula.analysis import report
from nebula.disclosure import floors as limits
from nebula.disclosure.grid_borders import told_of_borders
from nebula.disclosure.noise import ALLELES_PER_PERSON, noised_counts
from nebula.disclosure.released import Cut
from nebula.disclosure.suppression import (
    enough_copies,
    enough_people,
    mask_genotype_cells,
    mask_small,
    no_one_stands_out,
    round_significant,
    select,
)
from nebula.protocol.errors import NotPermittedError
from nebula.protocol.study import ResultClass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from nebula.analysis.inputs import Table
    from nebula.analysis.result import AnalysisResult
    from nebula.disclosure.released import ReleaseTerms

ESTIMATE_DIGITS = 6
FREQUENCY_DIGITS = 4
P_DECIMALS = 4
SITE_COLUMNS = ("chromosome", "base_pair_location", "effect_allele", "other_allele", "variant_id")


def cut_associations(result: AnalysisResult, terms: ReleaseTerms) -> Cut:
    """Hits or everything; inflation and quantiles always, computed from what the floors let through."""
    visible = select(result.table, enough_copies(result.table) & no_one_stands_out(result.table))
    logs: NDArray[np.float64] = visible["neg_log_10_p_value"].round(P_DECIMALS)
    columns = [*report.ASSOCIATION_COLUMNS, *(name for name in report.CASE_COLUMNS if name in visible)]
    rounded = _rounded_estimates(visible, columns)
    hits = logs > -np.log10(limits.HIT_P)
    shown = np.ones_like(hits) if terms.result_class is ResultClass.FULL else hits
    quantiles = report.qq_quantiles(logs)
    return Cut(
        "associations.tsv",
        select({name: rounded[name] for name in columns}, shown),
        quantiles={name: np.round(column, P_DECIMALS) for name, column in quantiles.items()},
        more={name: _rounded_estimates(table, ("step", *columns)) for name, table in result.more.items()},
        found={
            "file_type": "GWAS-SSF v1.0",
            "hits": int(hits.sum()),
            "lambda_gc": round(report.lambda_gc(logs), 4),
            "variants_tested": len(logs),
        },
    )


def _rounded_estimates(table: Table, columns: Sequence[str]) -> Table:
    """Some columns of an association, with the digits that may be told."""
    rounded = {name: table[name] for name in columns}
    for name in ("beta", "standard_error"):
        rounded[name] = round_significant(rounded[name], ESTIMATE_DIGITS)
    for name in columns:
        if name.startswith("effect_allele_frequency"):
            rounded[name] = np.round(rounded[name], FREQUENCY_DIGITS)
    return rounded | {"neg_log_10_p_value": rounded["neg_log_10_p_value"].round(P_DECIMALS)}


def cut_frequencies(result: AnalysisResult, terms: ReleaseTerms) -> Cut:
    """Exact counts with small cells masked, or all of them with noise."""
    if terms.result_class is ResultClass.NOISED:
        return _noised(result, terms)
    masked = mask_genotype_cells(select(result.table, enough_copies(result.table)))
    table = {name: masked[name] for name in report.FREQUENCY_COLUMNS if name in masked}
    return Cut("frequencies.tsv", table, found={"variants_shown": len(masked["n"])})


def cut_kinship(result: AnalysisResult, _: ReleaseTerms) -> Cut:
    """Counts of pairs and families, small ones masked."""
    return Cut("kinship.tsv", mask_small(result.table, "count"))


def cut_structure(result: AnalysisResult, _: ReleaseTerms) -> Cut:
    """Squares of the grids with enough people."""
    shown = enough_people(result.table)
    return Cut("structure.tsv", shown, found=told_of_borders(shown))


def _noised(result: AnalysisResult, terms: ReleaseTerms) -> Cut:
    """Every variant that was asked for, seen or not: which ones are shown must not depend on the data."""
    if not len(result.table["n"]):
        raise NotPermittedError("disclosure.nothing-asked", "no variant of the panel lies in these regions")
    noised = noised_counts(result.table["effect_allele_count"], result.people, terms.micro_rho)
    table = {name: result.table[name] for name in SITE_COLUMNS} | {
        "effect_allele_count": noised.counts,
        "effect_allele_frequency": noised.counts / (ALLELES_PER_PERSON * result.people),
        "n": np.full(len(noised.counts), result.people),
    }
    found = {
        "missing_genotypes": "count as two copies of the other allele",
        "noise_scale_alleles": round(noised.scale, 4),
        "privacy_micro_rho": noised.micro_rho,
        "variants_shown": len(noised.counts),
    }
    return Cut("frequencies.tsv", table, found=found, micro_rho=noised.micro_rho)
