"""Allele counts under zero-concentrated differential privacy, by the discrete Gaussian mechanism.

*Neighbours* are two cohorts of the same, public size that differ in one person. *Clipping*: a person adds
0, 1 or 2 to each variant's count, and 0 where the genotype is missing. *Sensitivity*: replacing one person
moves each of M counts by at most 2, all of them by at most 2*sqrt(M) in Euclidean length. *Noise*: integer
Gaussian of scale sigma = 2*sqrt(M) / sqrt(2*rho) costs rho (Canonne, Kamath, Steinke, NeurIPS 2020).

Sampling is OpenDP's: exact arithmetic, randomness from the operating system. It takes no seed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import opendp.prelude as dp

from nebula.disclosure.budget import MICRO

if TYPE_CHECKING:
    from numpy.typing import NDArray

ALLELES_PER_PERSON = 2
# OpenDP rounds its bound upwards: a hair more noise keeps it within the budget.
_SLACK = 1 + 1e-9

dp.enable_features("contrib")


@dataclass(frozen=True, slots=True, eq=False)
class NoisedCounts:
    """Noised allele counts, the noise's scale in alleles, and what they cost."""

    counts: NDArray[np.int64]
    scale: float
    micro_rho: int


def count_sensitivity(variants: int) -> float:
    """Euclidean length by which one person can move the counts of so many variants."""
    return ALLELES_PER_PERSON * math.sqrt(variants)


def noise_scale(variants: int, micro_rho: int) -> float:
    """Standard deviation of the noise on each count."""
    return count_sensitivity(variants) / math.sqrt(2 * micro_rho / MICRO) * _SLACK


def noised_counts(alternate: NDArray[np.int64], people: int, micro_rho: int) -> NoisedCounts:
    """Add noise worth ``micro_rho`` to allele counts, and bring them back into what is possible.

    Args:
        alternate: allele counts, shape (variants,), of all variants that were asked for: none may have
            been left out because of what the data say.
        people: size of the cohort, which is public.
        micro_rho: zCDP rho in millionths, above 0.
    """
    variants = len(alternate)
    if micro_rho <= 0 or variants == 0:
        raise ValueError("noise is bought with a budget above zero, for at least one variant")
    scale = noise_scale(variants, micro_rho)
    space = dp.vector_domain(dp.atom_domain(T=int)), dp.l2_distance(T=float)
    mechanism = dp.m.make_gaussian(*space, scale=scale)
    if mechanism.map(count_sensitivity(variants)) > micro_rho / MICRO:
        raise ArithmeticError("the noise costs more than its budget")
    noisy = np.array(mechanism(alternate.tolist()), dtype=np.int64)
    return NoisedCounts(np.clip(noisy, 0, ALLELES_PER_PERSON * people), scale, micro_rho)
