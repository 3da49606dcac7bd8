"""The effect of one number per person (a score, a burden, a variant's dosage) on a trait, with covariates.

A measured trait is regressed by least squares. A trait of two values is modelled by its log odds: by maximum likelihood
with Wald's test, and by Firth's penalised likelihood where cases and controls are, or nearly are, separated.

Beside each effect stands how much of it hangs on a single person: the largest leverage of what the covariates leave of
the predictor. A predictor that ten people carry alike has a leverage of a tenth; one that only one person carries, 1.

Sources: Frisch, Waugh, Lovell for projecting covariates out; Firth, Biometrika 80 (1993); Heinze and Schemper,
Statistics in Medicine 21 (2002).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from nebula.analysis.linear import covariate_basis, projected_out, trait_residual
from nebula.analysis.logistic import fit_null
from nebula.analysis.tails import neg_log10_two_sided_normal, neg_log10_two_sided_t
from nebula.protocol.errors import RejectedInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

# What these codes refuse has no estimate; anything else ends the run.
_NO_ESTIMATE = frozenset(
    {"analysis.constant-trait", "analysis.constant-predictor", "analysis.separated", "analysis.unsettled"}
)
_STEPS = 100
_SETTLED = 1e-10
# Log odds: what a step changes at most of anybody's, and what is no estimate any more but the way to infinity.
_LARGEST_STEP = 5.0
_SEPARATED = 20.0


@dataclass(frozen=True, slots=True)
class Effect:
    """What one predictor does.

    Attributes:
        beta: change of the trait, or of its log odds, per unit of the predictor.
        standard_error: of ``beta``.
        neg_log10_p: two-sided.
        test: ``OLS``, ``WALD`` or ``FIRTH``.
        leverage: the largest share of the predictor's variance that one person has, 0 to 1.
        explained: share of the trait's variance, covariates projected out, that the predictor explains; NaN for cases
            and controls.
    """

    beta: float
    standard_error: float
    neg_log10_p: float
    test: str
    leverage: float
    explained: float = float("nan")


def is_case_control(trait: NDArray[np.float64]) -> bool:
    """Whether a trait has exactly two values: the larger is a case."""
    return len(np.unique(trait)) == 2  # noqa: PLR2004


def effect_on_trait(
    trait: NDArray[np.float64], predictor: NDArray[np.float64], covariates: NDArray[np.float64]
) -> Effect:
    """Estimate a predictor's effect, by the kind of the trait.

    Args:
        trait: shape (samples,), finite.
        predictor: shape (samples,), finite.
        covariates: shape (samples, k), finite, without the intercept.

    Raises:
        RejectedInputError: ``analysis.constant-predictor``; the predictor is constant or a mixture of covariates. As
            ``linear.trait_residual`` or ``logistic.fit_null`` for trait and covariates.
    """
    basis = covariate_basis(covariates, len(trait))
    left = projected_out(predictor, basis)
    if left is None:
        raise RejectedInputError(
            "analysis.constant-predictor", "the predictor is the same for everyone, or the covariates explain all of it"
        )
    largest = float((left**2).max() / (left @ left))
    if not is_case_control(trait):
        return _least_squares(trait, left, basis, largest)
    return _log_odds((trait == trait.max()).astype(np.float64), left, basis, largest)


def effect_if_any(
    trait: NDArray[np.float64], predictor: NDArray[np.float64], covariates: NDArray[np.float64]
) -> Effect | None:
    """As ``effect_on_trait``; None where there is nothing to estimate: a row goes, not the run."""
    try:
        return effect_on_trait(trait, predictor, covariates)
    except RejectedInputError as error:
        if error.code in _NO_ESTIMATE:
            return None
        raise


def _least_squares(
    trait: NDArray[np.float64], left: NDArray[np.float64], basis: NDArray[np.float64], largest: float
) -> Effect:
    rest = trait_residual(trait, basis)
    size, total = float(left @ left), float(rest @ rest)
    beta = float(left @ rest) / size
    freedom = len(trait) - basis.shape[1] - 1
    error = np.sqrt(max(total - beta * beta * size, 0.0) / freedom / size)
    p = neg_log10_two_sided_t(np.array([beta / error if error else np.inf]), np.array([freedom]))
    return Effect(beta, float(error), float(p[0]), "OLS", largest, explained=beta * beta * size / total)


def _log_odds(
    case: NDArray[np.float64], left: NDArray[np.float64], basis: NDArray[np.float64], largest: float
) -> Effect:
    """Fit on columns of one size. What the covariates explain of the predictor changes their factors, not its own."""
    scale = float(np.sqrt(left @ left / len(left)))
    design = np.column_stack([basis * np.sqrt(len(case)), left / scale])
    start = np.append(fit_null(np.ascontiguousarray(design[:, :-1].T), case), 0.0)
    for firth in (False, True):
        found = _newton(design, case, start, firth=firth)
        if found is not None:
            beta, error = found
            p = float(neg_log10_two_sided_normal(np.array([beta / error]))[0])
            return Effect(beta / scale, error / scale, p, "FIRTH" if firth else "WALD", largest)
    raise RejectedInputError(
        "analysis.unsettled", "the effect on cases and controls cannot be estimated", hint="leave covariates out"
    )


def _newton(
    design: NDArray[np.float64], case: NDArray[np.float64], start: NDArray[np.float64], *, firth: bool
) -> tuple[float, float] | None:
    """Fit by Newton's method; the last column's factor and its standard error, or None where it does not settle.

    A step behind whose end the likelihood falls half as steeply as it rose before is halved: where an allele has hardly
    any controls, Firth's penalty makes it twice as curved as the information says, and whole steps go to and fro.
    """
    factors, step, rise = start, np.zeros_like(start), 0.0
    for _ in range(_STEPS):
        tried = factors + step
        log_odds = design @ tried
        found = _slope(design, case, log_odds, firth=firth)
        if found is None or (not firth and float(np.abs(log_odds).max()) > _SEPARATED):
            return None
        gradient, inverse = found
        if float(gradient @ step) < -rise / 2:
            step, rise = step / 2, rise / 2
            continue
        factors, step = tried, inverse @ gradient
        if float(np.abs(step).max()) < _SETTLED:
            return float(factors[-1]), float(np.sqrt(inverse[-1, -1]))
        step *= min(1.0, _LARGEST_STEP / float(np.abs(design @ step).max()))
        rise = float(gradient @ step)
        if not rise > 0:  # what is nearly singular has no inverse to speak of
            return None
    return None


def _slope(
    design: NDArray[np.float64], case: NDArray[np.float64], log_odds: NDArray[np.float64], *, firth: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """The gradient of the likelihood, or of Firth's, and the inverse of the information; None where it has none."""
    mean = special.expit(log_odds)
    weight = mean * (1 - mean)
    try:
        inverse = np.linalg.inv((design.T * weight) @ design)
    except np.linalg.LinAlgError:
        return None
    rest = case - mean
    if firth:
        hat = weight * np.einsum("ij,jk,ik->i", design, inverse, design)
        rest = rest + hat * (0.5 - mean)
    return design.T @ rest, inverse
