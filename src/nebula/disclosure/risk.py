"""What a result gives away about who took part, as a number and in plain words for owners.

Rounding and thresholds do not stop membership inference: who knows a person's genome and the frequencies
in the population compares both with the frequencies in the cohort. The number is the AUC of that test:
the chance that it ranks a participant above somebody who did not take part. One half is guessing.
"""

from __future__ import annotations

import math
from statistics import NormalDist

from nebula.disclosure.budget import MICRO
from nebula.protocol.study import ResultClass

# Measured with a likelihood-ratio attack on exact frequencies of independent variants.
ATTACK_STRENGTH = 0.76
# Rows that a well-powered study of one trait publishes as hits, for a forecast before it has run.
EXPECTED_HITS = 100


def membership_risk_auc(people: int, variants: int) -> float:
    """Return the AUC of a likelihood-ratio attack on an exact release: phi(0.76 * sqrt(M / n)).

    Args:
        people: n in the cohort, at least 1.
        variants: M whose exact statistics leave; correlated ones count for less, so this is an upper end.
    """
    return NormalDist().cdf(ATTACK_STRENGTH * math.sqrt(variants / people))


def noised_membership_auc_bound(micro_rho: int) -> float:
    """Return what no attack on a noised release can exceed, whatever it knows: phi(sqrt(rho)).

    A Gaussian mechanism of rho is mu-GDP with mu = sqrt(2 rho); its trade-off curve has AUC phi(mu/sqrt 2)
    (Dong, Roth, Su, 2022).
    """
    return NormalDist().cdf(math.sqrt(micro_rho / MICRO))


def class_auc(result_class: ResultClass, *, people: int, variants: int, micro_rho: int = 0) -> float:
    """Return the risk of a result class before a study has run; ``variants`` are those it looks at."""
    if result_class is ResultClass.NOISED:
        return min(noised_membership_auc_bound(micro_rho), membership_risk_auc(people, variants))
    if result_class is ResultClass.HITS:
        return membership_risk_auc(people, min(EXPECTED_HITS, variants))
    return membership_risk_auc(people, variants)


_LEAVES = {
    ResultClass.NOISED: "Only counts and frequencies with random noise added leave.",
    ResultClass.HITS: "Only the strongest associations, usually fewer than a hundred variants, leave.",
    ResultClass.FULL: "Exact statistics of every variant leave, to an accredited buyer.",
}


def owner_sentence(result_class: ResultClass, *, people: int, variants: int, micro_rho: int = 0) -> str:
    """Tell a data owner what a result class means for them."""
    auc = class_auc(result_class, people=people, variants=variants, micro_rho=micro_rho)
    return (
        f"{_LEAVES[result_class]} Someone who already has a copy of your genome and sees the result would, "
        f"shown one participant and one other person, pick the participant {_out_of_hundred(auc)} "
        f"times in 100 (50 is guessing): {_verdict(auc)}."
    )


def _out_of_hundred(auc: float) -> str:
    return "more than 99" if auc > 0.99 else f"about {auc * 100:.0f}"  # noqa: PLR2004


def _verdict(auc: float) -> str:
    for limit, words in ((0.55, "next to nothing"), (0.65, "a weak hint"), (0.8, "a real hint")):
        if auc < limit:
            return words
    return "a clear sign that you took part" if auc < 0.95 else "practically proof that you took part"  # noqa: PLR2004
