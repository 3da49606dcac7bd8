"""Meta-analysis: the associations of several runs as one.

Fixed effects weigh each run's estimate by the inverse of its variance. Cochran's Q and I² tell how much the runs
disagree beyond chance; random effects (DerSimonian and Laird) take the disagreement for part of the uncertainty.

Variants are brought to the alleles of the first run that has them: sign and frequency turn where the alleles are
swapped; alleles that only fit on the other strand are read there. A pair that reads alike on both strands, A/T or
C/G, is believed only where the runs' frequencies agree, and would not if one of them were of the other strand.

Sources: Cochran, Biometrics 10 (1954); DerSimonian and Laird, Controlled Clinical Trials 7 (1986); Higgins and
Thompson, Statistics in Medicine 21 (2002).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from nebula.analysis.tails import neg_log10_two_sided_normal
from nebula.genome.bases import other_strand

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from nebula.analysis.inputs import Table

# Frequencies of one allele differ by no more. Palindromic variants are believed where they fit so on one strand alone.
FREQUENCY_SLACK = 0.2
_Key = tuple[int, int, frozenset[str]]


@dataclass(frozen=True, slots=True, eq=False)
class Combined:
    """Estimates of several studies as one, each of shape (variants,); NaN where fewer than two make no sense of it.

    Attributes:
        beta: fixed effects.
        standard_error: of it.
        q: Cochran's, with ``studies`` - 1 degrees of freedom.
        i_squared: share of the variation that is not chance, 0 to 1.
        tau_squared: variance between studies.
        beta_random: random effects.
        standard_error_random: of it.
        studies: with an estimate, int64.
    """

    beta: NDArray[np.float64]
    standard_error: NDArray[np.float64]
    q: NDArray[np.float64]
    i_squared: NDArray[np.float64]
    tau_squared: NDArray[np.float64]
    beta_random: NDArray[np.float64]
    standard_error_random: NDArray[np.float64]
    studies: NDArray[np.int64]

    @property
    def heterogeneity_p(self) -> NDArray[np.float64]:
        """P of ``q``."""
        return np.asarray(special.chdtrc(np.maximum(self.studies - 1, 1), self.q))


def combine(betas: NDArray[np.float64], errors: NDArray[np.float64]) -> Combined:
    """Combine studies' estimates.

    Args:
        betas: shape (variants, studies), NaN where a study has no estimate; at least one has.
        errors: their standard errors, above zero.
    """
    there = np.isfinite(betas)
    studies = there.sum(axis=1)
    weights = np.where(there, 1 / np.where(there, errors, 1.0) ** 2, 0.0)
    values = np.where(there, betas, 0.0)
    total = weights.sum(axis=1)
    beta = (weights * values).sum(axis=1) / total
    several = studies > 1
    q = np.where(several, (weights * (values - beta[:, None]) ** 2).sum(axis=1), np.nan)
    freedom = studies - 1
    spread = total - (weights**2).sum(axis=1) / total
    with np.errstate(invalid="ignore", divide="ignore"):
        i_squared = np.where(q > 0, np.maximum(0.0, (q - freedom) / q), np.where(several, 0.0, np.nan))
        tau_squared = np.where(several, np.maximum(0.0, (q - freedom) / spread), np.nan)
    between = np.nan_to_num(tau_squared)[:, None]
    random = np.where(there, 1 / (np.where(there, errors, 1.0) ** 2 + between), 0.0)
    beta_random = (random * values).sum(axis=1) / random.sum(axis=1)
    return Combined(
        beta=beta,
        standard_error=total**-0.5,
        q=q,
        i_squared=i_squared,
        tau_squared=tau_squared,
        beta_random=beta_random,
        standard_error_random=random.sum(axis=1) ** -0.5,
        studies=studies.astype(np.int64),
    )


@dataclass(frozen=True, slots=True, eq=False)
class MetaResult:
    """A table in GWAS-SSF's columns and ours, in genome order, and what became of the runs' rows, one entry a run."""

    table: Table
    report: tuple[dict[str, int], ...]


def meta_analyse(runs: Sequence[Table], *, minimum_studies: int = 1) -> MetaResult:
    """Combine runs on one build.

    Args:
        runs: of ``gwas_ssf.parse_gwas_ssf``.
        minimum_studies: variants in fewer are left out.
    """
    aligned = _Aligned()
    report = tuple(aligned.add(run) for run in runs)
    columns = aligned.arrays()
    kept = np.isfinite(columns["beta"]).sum(axis=1) >= minimum_studies
    columns = {name: column[kept] for name, column in columns.items()}
    found = combine(columns["beta"], columns["standard_error"])
    table = columns | _written(columns, found)
    order = np.lexsort((table["base_pair_location"], table["chromosome"]))
    return MetaResult({name: column[order] for name, column in table.items()}, report)


class _Aligned:
    """Runs' estimates by variant, turned to the alleles of the first run that has it."""

    def __init__(self) -> None:
        self._rows: dict[_Key, int] = {}
        self._alleles: list[tuple[int, int, str, str]] = []
        self._values: list[list[tuple[float, float, float, float]]] = []
        self._runs = 0

    def add(self, run: Table) -> dict[str, int]:
        """Add a run; returns how many of its rows matched as they are, swapped, flipped, are new, or are ambiguous."""
        counts = {"matched": 0, "swapped": 0, "flipped": 0, "first": 0, "ambiguous": 0}
        names = ("chromosome", "base_pair_location", "effect_allele", "other_allele")
        numbers = ("beta", "standard_error", "effect_allele_frequency", "n")
        rows = zip(*(run[name].tolist() for name in (*names, *numbers)), strict=True)
        for chromosome, position, effect, other, beta, error, frequency, people in rows:
            kind, row, sign = self._place(chromosome, position, effect, other)
            turned = frequency if sign > 0 else 1 - frequency
            if kind != "first" and _reads_alike(effect, other) and not self._agrees(row, turned):
                counts["ambiguous"] += 1
                continue
            counts[kind] += 1
            self._values[row] += [_NOTHING] * (self._runs - len(self._values[row]))
            self._values[row].append((sign * beta, error, turned, people))
        self._runs += 1
        return counts

    def _place(self, chromosome: int, position: int, effect: str, other: str) -> tuple[str, int, int]:
        """Return how a row fits, its number, and the sign of its effect."""
        for kind, one, two in (("matched", effect, other), ("flipped", other_strand(effect), other_strand(other))):
            row = self._rows.get((chromosome, position, frozenset((one, two))))
            if row is not None:
                swapped = self._alleles[row][2] != one
                return "swapped" if swapped and kind == "matched" else kind, row, -1 if swapped else 1
        self._rows[chromosome, position, frozenset((effect, other))] = len(self._alleles)
        self._alleles.append((chromosome, position, effect, other))
        self._values.append([])
        return "first", len(self._alleles) - 1, 1

    def _agrees(self, row: int, frequency: float) -> bool:
        """Whether a palindrome's frequency fits the first that is known, and not that of the other strand's allele."""
        known = [value[2] for value in self._values[row] if np.isfinite(value[2])]
        if not known:
            return False
        here, turned = abs(known[0] - frequency), abs(1 - known[0] - frequency)
        return bool(here <= FREQUENCY_SLACK < turned)

    def arrays(self) -> Table:
        """The variants, and for each of the numbers an array of shape (variants, runs)."""
        filled = [values + [_NOTHING] * (self._runs - len(values)) for values in self._values]
        numbers = np.array(filled, dtype=np.float64).reshape(len(filled), self._runs, 4)
        chromosome, position, effect, other = (list(part) for part in zip(*self._alleles, strict=True))
        return {
            "chromosome": np.array(chromosome, dtype=np.int64),
            "base_pair_location": np.array(position, dtype=np.int64),
            "effect_allele": np.array(effect, dtype=object),
            "other_allele": np.array(other, dtype=object),
            "beta": numbers[:, :, 0],
            "standard_error": numbers[:, :, 1],
            "effect_allele_frequency": numbers[:, :, 2],
            "n": numbers[:, :, 3],
        }


_NOTHING = (float("nan"),) * 4


def _written(columns: Table, found: Combined) -> Table:
    """The columns that tell of all runs together."""
    people, frequency, betas = columns["n"], columns["effect_allele_frequency"], columns["beta"]
    known = np.isfinite(people) & np.isfinite(frequency)
    weight = np.where(known, people, 0.0)
    total = weight.sum(axis=1)
    mean = np.full(len(total), np.nan)
    np.divide((weight * np.where(known, frequency, 0.0)).sum(axis=1), total, out=mean, where=total > 0)
    signs = np.where(np.isnan(betas), "?", np.where(betas < 0, "-", "+"))
    parts = (columns[name].tolist() for name in ("chromosome", "base_pair_location", "other_allele", "effect_allele"))
    return {
        "beta": found.beta,
        "standard_error": found.standard_error,
        "effect_allele_frequency": mean,
        "neg_log_10_p_value": neg_log10_two_sided_normal(found.beta / found.standard_error),
        "variant_id": np.array(["_".join(map(str, part)) for part in zip(*parts, strict=True)], dtype=object),
        "n": np.nansum(people, axis=1).astype(np.int64),
        "studies": found.studies,
        "direction": np.array(["".join(row) for row in signs.tolist()], dtype=object),
        "cochran_q": found.q,
        "heterogeneity_p_value": found.heterogeneity_p,
        "i_squared": found.i_squared,
        "tau_squared": found.tau_squared,
        "beta_random": found.beta_random,
        "standard_error_random": found.standard_error_random,
        "neg_log_10_p_value_random": neg_log10_two_sided_normal(found.beta_random / found.standard_error_random),
    }


def _reads_alike(effect: str, other: str) -> bool:
    return other_strand(effect) == other
