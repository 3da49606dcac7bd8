"""Conditioning is subtraction: what is left of a variant beside another may be one person."""

import numpy as np
import pytest

from nebula.analysis.catalogue import run
from nebula.analysis.inputs import CohortInput, Sites
from nebula.analysis.parameters import ConditionalGwas
from nebula.disclosure.release import ReleaseContext, Released, ReleaseTerms, release
from nebula.genome.matrix import PackedMatrix
from nebula.protocol.errors import NotPermittedError
from nebula.protocol.study import ResultClass

PEOPLE = 1000


@pytest.fixture(scope="module")
def cohort() -> CohortInput:
    """Variant 2 is variant 1 but for one more carrier; variant 3 but for thirty; the others are common."""
    rng = np.random.default_rng(0)
    dosage = rng.binomial(2, 0.3, (8, PEOPLE)).astype(np.int8)
    dosage[1], dosage[2] = dosage[0], dosage[0]
    lacking = np.flatnonzero(dosage[0] == 0)
    dosage[1, lacking[0]] = 1
    dosage[2, lacking[:30]] = 1
    alleles = np.array(["C"] * 8, object), np.array(["A"] * 8, object)
    sites = Sites(np.array(["1"] * 8), np.arange(1, 9), *alleles)
    trait = rng.standard_normal(PEOPLE) + dosage[6]
    trait[lacking[0]] = 25.0
    return CohortInput(PackedMatrix.from_dosage(dosage), sites, {"trait": trait})


def ask(cohort: CohortInput, kind: ResultClass = ResultClass.FULL, **asked: object) -> Released:
    result = run("gwas-conditional@1", ConditionalGwas(**{"trait": "trait", "pcs": 0} | asked), cohort)
    return release(result, ReleaseTerms(kind, 1), ReleaseContext(PEOPLE, PEOPLE, buyer_accredited=True))


def test_a_variant_that_differs_in_one_person_from_the_condition_has_no_row(cohort: CohortInput) -> None:
    released = ask(cohort, condition=("1:1:C:A",))
    assert released.table["base_pair_location"].tolist() == [3, 4, 5, 6, 7, 8]
    assert ask(cohort, ResultClass.HITS, condition=("1:1:C:A",)).table["base_pair_location"].tolist() == [7]


def test_conditions_whose_difference_is_one_person_are_refused(cohort: CohortInput) -> None:
    with pytest.raises(NotPermittedError) as refusal:
        ask(cohort, condition=("1:1:C:A", "1:2:C:A"))
    assert refusal.value.code == "disclosure.one-person"
    assert ask(cohort, condition=("1:1:C:A", "1:3:C:A")).summary["conditioned_on"] == 2


def test_signals_leave_rounded_beside_the_associations(cohort: CohortInput) -> None:
    released = ask(cohort, ResultClass.HITS, steps=2)
    assert released.more["signals.tsv"]["base_pair_location"].tolist() == [7]
    assert "leverage" not in released.more["signals.tsv"]
    assert set(released.to_files()) == {"associations.tsv", "qq.tsv", "signals.tsv", "metadata.yaml"}
