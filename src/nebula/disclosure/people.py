"""One count of people under zero-concentrated differential privacy, for questions that are asked one by one.

*Neighbours* are two sets of records that differ in one person, added, taken away or replaced. *Sensitivity*: who fits a
question is decided person by person, so one person moves the count by at most 1. *Noise*: integer Gaussian of scale
1 / sqrt(2 rho) costs rho.

A noised number below the least that is told is "no", and so is a true zero: that decision is made after the noise, so
it costs nothing and tells nothing. Thresholds on the true count would be seen by asking twice about groups that differ
in one person; these are not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import opendp.prelude as dp

from nebula.disclosure.budget import MICRO
from nebula.disclosure.floors import MINIMUM_CELL

_SENSITIVITY = 1
# OpenDP rounds its bound upwards: a hair more noise keeps it within the budget.
_SLACK = 1 + 1e-9
# Nobody fits, and yet "yes" is told: less than once in a thousand questions.
_DEVIATIONS = 3.1

dp.enable_features("contrib")


@dataclass(frozen=True, slots=True)
class ToldCount:
    """What may leave about one group. ``people``: noised; None where fewer than ``least_told`` were counted."""

    people: int | None
    least_told: int
    scale: float

    @property
    def exists(self) -> bool:
        """Whether enough people were counted to say so."""
        return self.people is not None


def people_noise_scale(micro_rho: int) -> float:
    """Standard deviation of the noise on one count of people, in people."""
    return _SENSITIVITY / math.sqrt(2 * micro_rho / MICRO) * _SLACK


def least_told(micro_rho: int) -> int:
    """Return the smallest noised count that is told: a published cell's floor, and well above the noise alone."""
    return max(MINIMUM_CELL, math.ceil(_DEVIATIONS * people_noise_scale(micro_rho)))


def tell_people(people: int, micro_rho: int) -> ToldCount:
    """Draw noise worth ``micro_rho`` on a count of people, and decide what is told. Each call is a new draw.

    Args:
        people: how many fit, 0 or more.
        micro_rho: zCDP rho in millionths, above 0.
    """
    if micro_rho <= 0 or people < 0:
        raise ValueError("noise is bought with a budget above zero, on a count of people")
    scale = people_noise_scale(micro_rho)
    mechanism = dp.m.make_gaussian(dp.atom_domain(T=int), dp.absolute_distance(T=float), scale=scale)
    if mechanism.map(float(_SENSITIVITY)) > micro_rho / MICRO:
        raise ArithmeticError("the noise costs more than its budget")
    noised, least = int(mechanism(people)), least_told(micro_rho)
    return ToldCount(noised if noised >= least else None, least, scale)
