"""Genome-wide logistic association: case or control on each variant in turn, with covariates.

All variants get a score test, which needs the model without them only. Those that it picks out (p < 0.05) are fitted:

- by maximum likelihood, with Wald's test, where that has a finite answer;
- by Firth's penalised likelihood at once where cases or controls lack one of the alleles altogether, and where maximum
  likelihood fails to settle.

Which test a row's numbers come from stands beside it. A row of the score test holds the one-step estimate: score over
variance. It agrees with the fitted one where effects are small, which is why only weak variants keep it.

Sources: Rao, Proc. Camb. Phil. Soc. 44 (1948), for the score test; Firth, Biometrika 80 (1993); Heinze and Schemper,
Statistics in Medicine 21 (2002), for separation.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from nebula import _native
from nebula.analysis.linear import covariate_basis
from nebula.analysis.products import workers
from nebula.analysis.tails import neg_log10_two_sided_normal
from nebula.protocol.errors import RejectedInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nebula.genome.matrix import PackedMatrix

# Variants whose score test has a larger p keep it.
REFINED_P = 0.05
_NULL_STEPS = 30
_SETTLED = 1e-16


class Method(IntEnum):
    """Which test a variant's numbers come from."""

    NONE = 0
    SCORE = 1
    WALD = 2
    FIRTH = 3


class NoFit(IntEnum):
    """Why a variant has no estimate."""

    NONE = 0  # it has one
    CONSTANT = 1  # everyone observed has the same genotype
    COLLINEAR = 2  # the covariates explain it, or each other among the people observed
    TOO_FEW = 3  # no degree of freedom left, or only cases or only controls are observed
    UNSETTLED = 4  # Firth's method does not settle either


@dataclass(frozen=True, slots=True, eq=False)
class CaseControlAssociations:
    """One row per variant, in the matrix' order; NaN where ``no_fit`` says why.

    Attributes:
        beta: natural logarithm of the odds ratio per alternate allele.
        standard_error: of ``beta``.
        z: ``beta / standard_error``.
        neg_log10_p: two-sided, of ``z`` under the normal distribution.
        method: Method codes, uint8.
        no_fit: NoFit codes, uint8.
        observed: people who have this genotype.
        alternate: alternate alleles among them.
        cases: cases among those observed.
        case_alternate: alternate alleles among these cases.
    """

    beta: NDArray[np.float64]
    standard_error: NDArray[np.float64]
    z: NDArray[np.float64]
    neg_log10_p: NDArray[np.float64]
    method: NDArray[np.uint8]
    no_fit: NDArray[np.uint8]
    observed: NDArray[np.int64]
    alternate: NDArray[np.int64]
    cases: NDArray[np.int64]
    case_alternate: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class NullModel:
    """Cases fitted on covariates alone, ready for any of the variants.

    Attributes:
        design: covariates made orthogonal, of an intercept's size, and one in their span; shape (columns, samples).
        case: 1 for a case and 0 for a control, shape (samples,).
        factors: that fit ``case``, shape (columns,).
    """

    design: NDArray[np.float64]
    case: NDArray[np.float64]
    factors: NDArray[np.float64]

    @classmethod
    def fit(cls, case: NDArray[np.float64], covariates: NDArray[np.float64]) -> NullModel:
        """Fit the covariates, as of ``associate_cases``, which says what is refused."""
        if not np.isin(case, (0.0, 1.0)).all():
            raise RejectedInputError(
                "analysis.not-case-control", "a case is 1 and a control 0; nothing else stands here"
            )
        if case.min() == case.max():
            raise RejectedInputError("analysis.constant-trait", "there are no cases, or no controls")
        # Orthogonal columns of the size of an intercept: no unit of a covariate can spoil the arithmetic.
        design = np.ascontiguousarray(covariate_basis(covariates, len(case)).T * np.sqrt(len(case)))
        return cls(design, case, fit_null(design, case))


def associate_cases(
    matrix: PackedMatrix,
    case: NDArray[np.float64],
    covariates: NDArray[np.float64],
    *,
    refined_p: float = REFINED_P,
    threads: int | None = None,
) -> CaseControlAssociations:
    """Compare cases with controls on every variant of a cohort.

    Args:
        matrix: the cohort's genotypes.
        case: shape (samples,), 1 for a case and 0 for a control.
        covariates: shape (samples, k), finite, without the intercept, which is added. k may be 0.
        refined_p: variants whose score test has a smaller p are fitted; 1 fits all of them.
        threads: results do not depend on it.

    Raises:
        RejectedInputError: values are missing or neither 0 nor 1, everybody is a case or nobody is, the covariates
            alone tell cases from controls, or fewer people than covariates.
    """
    if case.shape != (matrix.samples,):
        raise RejectedInputError("analysis.shape", f"the trait has shape {case.shape}, not ({matrix.samples},)")
    return associate_with_null(matrix, NullModel.fit(case, covariates), refined_p=refined_p, threads=threads)


def associate_with_null(
    matrix: PackedMatrix, null: NullModel, *, refined_p: float = REFINED_P, threads: int | None = None
) -> CaseControlAssociations:
    """Test variants against a null model: ``associate_cases`` for who fits it once.

    Args:
        matrix: of the null model's people: all of the cohort's variants, or some. Each is tested by itself, and its
            numbers are the same bits whichever others are in the matrix.
        null: of ``NullModel.fit``.
        refined_p: as of ``associate_cases``.
        threads: results do not depend on it.
    """
    threshold = float(special.ndtri(refined_p / 2) ** 2)
    beta, error, method, reason, observed, alternate, cases, case_alternate = _native.logistic_scan(
        matrix.packed, null.design, null.case, null.factors, threshold, workers(threads)
    )
    z = beta / error
    return CaseControlAssociations(
        beta=beta,
        standard_error=error,
        z=z,
        neg_log10_p=neg_log10_two_sided_normal(z),
        method=method,
        no_fit=reason,
        observed=observed,
        alternate=alternate,
        cases=cases,
        case_alternate=case_alternate,
    )


def fit_null(design: NDArray[np.float64], case: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fit cases on covariates alone, by Newton's method: shape (columns,).

    Args:
        design: shape (columns, samples), the intercept in their span.
        case: shape (samples,).

    Raises:
        RejectedInputError: the covariates tell cases from controls, so that no finite answer exists.
    """
    factors = np.zeros(len(design))
    for _ in range(_NULL_STEPS):
        mean = special.expit(factors @ design)
        information = (design * (mean * (1 - mean))) @ design.T
        gradient = design @ (case - mean)
        try:
            step = np.linalg.solve(information, gradient)
        except np.linalg.LinAlgError:
            break
        factors = factors + step
        if float(gradient @ step) < _SETTLED * len(case):
            return factors
    raise RejectedInputError(
        "analysis.separated", "the covariates alone tell cases from controls", hint="leave the one out that does"
    )
