"""Results as an enclave has them before disclosure control."""

from collections.abc import Callable

import numpy as np
import pytest

from nebula.analysis.catalogue import run
from nebula.analysis.inputs import CohortInput, Sites
from nebula.analysis.parameters import AlleleFrequency, LinearGwas
from nebula.analysis.result import AnalysisResult
from nebula.genome.matrix import PackedMatrix


@pytest.fixture
def cohort() -> Callable[..., CohortInput]:
    """So many people, 300 variants from very rare to common, a trait that variant 7 drives."""

    def make(people: int, seed: int = 0) -> CohortInput:
        rng = np.random.default_rng(seed)
        frequency = np.concatenate([rng.beta(0.1, 4, 150), rng.uniform(0.05, 0.95, 150)])
        frequency[7] = 0.4
        dosage = rng.binomial(2, frequency[:, None], (300, people)).astype(np.int8)
        trait = rng.standard_normal(people) + 1.5 * dosage[7]
        dosage[rng.random(dosage.shape) < 0.01] = -1
        alleles = np.array(["A"] * 300), np.array(["G"] * 300)
        sites = Sites(np.repeat(["1", "2"], 150), np.arange(300) + 1, *alleles)
        classes = (np.arange(people) % 2).astype(float)
        return CohortInput(PackedMatrix.from_dosage(dosage), sites, {"trait": trait, "class": classes})

    return make


@pytest.fixture
def association(cohort: Callable[..., CohortInput]) -> Callable[..., AnalysisResult]:
    def make(people: int, **changes: object) -> AnalysisResult:
        parameters = LinearGwas(**{"trait": "trait", "pcs": 0, "minimum_maf": 0.0} | changes)
        return run("gwas-linear@1", parameters, cohort(people))

    return make


@pytest.fixture
def frequencies(cohort: Callable[..., CohortInput]) -> Callable[..., AnalysisResult]:
    return lambda people: run("allele-frequency@1", AlleleFrequency(), cohort(people))
