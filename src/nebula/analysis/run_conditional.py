"""``gwas-conditional``: associations beside other variants, given ones and the strongest found so far.

Conditioning variants are covariates: copies of the alternate allele, a missing genotype at the mean, so that everybody
stays in. Step by step the strongest variant beyond the threshold joins them, until none is left (forward selection).

A variant that differs from the conditioning ones in one person would be a test of that person. So each row has its
leverage: the largest share that one person has in what all covariates leave of the variant; and so have the
conditioning variants together.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from nebula.analysis.effect import is_case_control
from nebula.analysis.frequency import GenotypeCounts
from nebula.analysis.leverage import block_leverage, mean_dosage, row_leverage
from nebula.analysis.linear import covariate_basis
from nebula.analysis.parameter_types import Relatives
from nebula.analysis.people import cohort_components, smallest_group, trait_and_covariates, without_relatives
from nebula.analysis.regional import within_regions
from nebula.analysis.result import AnalysisResult
from nebula.analysis.run_association import associate_cases, associate_measured
from nebula.protocol.errors import RejectedInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from nebula.analysis.inputs import CohortInput, Table
    from nebula.analysis.parameters import ConditionalGwas
    from nebula.genome.matrix import PackedMatrix

# No signal rests on fewer copies, nor on one person by more than this share: it could not be told.
_FEWEST_COPIES = 10
_LARGEST_SHARE = 0.1
_LETTERS = {23: "X", 24: "Y", 25: "MT"}


def run_conditional(analysis: str, parameters: ConditionalGwas, cohort: CohortInput) -> AnalysisResult:
    """Condition on the variants given, then step by step on the strongest left."""
    people, trait, covariates = trait_and_covariates(parameters.trait, parameters.covariates, cohort)
    if trait is None:
        raise ValueError("associations are of a trait")
    complete = int(people.sum())
    if parameters.relatives is Relatives.DROP:
        kept = without_relatives(parameters, cohort, people)
        trait, covariates, people = trait[kept[people]], covariates[kept[people]], kept
    chosen = cohort.select_people(people)
    classed = np.column_stack([trait, covariates])
    covariates = np.hstack([covariates, cohort_components(parameters, chosen)])
    rows = cohort.sites.find(parameters.condition).tolist()
    _require_common(chosen.matrix, rows)
    model = _Model(parameters, chosen, trait, covariates)
    signals: list[Table] = []
    table, fitted = model.test(rows)
    while len(signals) < parameters.steps:
        best = _strongest(table, parameters.signal_p)
        if best is None:
            break
        signals.append({"step": np.array([len(signals) + 1])} | {name: part[[best]] for name, part in table.items()})
        rows.append(int(cohort.sites.find([_name(table, best)])[0]))
        table, fitted = model.test(rows)
    return AnalysisResult(
        analysis=analysis,
        parameters=parameters,
        table=table,
        people=len(trait),
        smallest_group=smallest_group(classed),
        fitted=fitted,
        sites=len(cohort.sites),
        left_out=complete - len(trait),
        summary={"conditioned_on": len(rows), "signals_found": len(signals)},
        more={"signals.tsv": _stacked(signals)} if signals else {},
        leverage=block_leverage(mean_dosage(chosen.matrix, rows), covariates),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Model:
    """Everything but the conditioning variants: of the people analysed."""

    parameters: ConditionalGwas
    cohort: CohortInput
    trait: NDArray[np.float64]
    covariates: NDArray[np.float64]

    def test(self, rows: Sequence[int]) -> tuple[Table, int]:
        """Test every variant within the regions beside those of some rows of the panel; adds each one's leverage."""
        cohort = self.cohort
        columns = np.hstack([self.covariates, mean_dosage(cohort.matrix, rows)])
        tested = within_regions(cohort.sites, self.parameters.regions)
        tested[list(rows)] = False
        part = replace(cohort, matrix=cohort.matrix.select_variants(tested), sites=cohort.sites.select(tested))
        associate = associate_cases if is_case_control(self.trait) else associate_measured
        everybody = np.ones(len(self.trait), dtype=np.bool_)
        table, fitted = associate(self.parameters, part, everybody, self.trait, columns)
        place = {name: row for row, name in enumerate(part.sites.columns()["variant_id"].tolist())}
        kept = np.array([place[name] for name in table["variant_id"].tolist()], dtype=np.int64)
        leverage = row_leverage(part.matrix.select_variants(kept), covariate_basis(columns, len(self.trait)))
        return table | {"leverage": leverage}, fitted


def _stacked(rows: Sequence[Table]) -> Table:
    return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}


def _strongest(table: Table, largest_p: float) -> int | None:
    """The row of the smallest p below a threshold, of those that rest on enough people."""
    told = (table["leverage"] <= _LARGEST_SHARE) & (table["fewest"] >= _FEWEST_COPIES)
    logs = np.where(told, table["neg_log_10_p_value"], 0.0)
    if not len(logs) or logs.max() <= -np.log10(largest_p):
        return None
    return int(logs.argmax())


def _name(table: Table, row: int) -> str:
    number = int(table["chromosome"][row])
    place = f"{_LETTERS.get(number, number)}:{table['base_pair_location'][row]}"
    return f"{place}:{table['other_allele'][row]}:{table['effect_allele'][row]}"


def _require_common(matrix: PackedMatrix, rows: Sequence[int]) -> None:
    if (GenotypeCounts.of(matrix.select_variants(list(rows))).fewest < _FEWEST_COPIES).any():
        raise RejectedInputError(
            "analysis.rare-condition",
            f"a variant to condition on has fewer than {_FEWEST_COPIES} copies of its rarer allele",
            hint="leave it out: nothing that rests on so few people leaves",
        )
