"""A region is the buyer's to choose: it may hold one variant, or hang on one person."""

import numpy as np
import pytest

from nebula.analysis.catalogue import run
from nebula.analysis.inputs import CohortInput, Sites
from nebula.analysis.region_parameters import RareVariants
from nebula.disclosure.release import ReleaseContext, Released, ReleaseTerms, release
from nebula.genome.keys import variant_key
from nebula.genome.matrix import PackedMatrix
from nebula.genome.private import PrivateVariants
from nebula.protocol.study import ResultClass

PEOPLE = 1000


@pytest.fixture(scope="module")
def cohort() -> CohortInput:
    """On the panel 30 variants of ten people each at 1 to 30; off it one person's own at 50, and one of nine at 60."""
    rng = np.random.default_rng(0)
    dosage = np.zeros((30, PEOPLE), np.int8)
    for row in dosage:
        row[rng.choice(PEOPLE, 10, replace=False)] = 1
    alleles = np.array(["A"] * 30, object), np.array(["C"] * 30, object)
    sites = Sites(np.array(["1"] * 30), np.arange(1, 31), *alleles)
    nine = np.sort(rng.choice(PEOPLE, 9, replace=False)).astype(np.int32)
    private = PrivateVariants(
        np.array([variant_key("1", 50, "A", "G"), variant_key("1", 60, "A", "G")], np.uint64),
        np.array([0, 1, 10]),
        np.r_[np.int32(500), nine],
        np.ones(10, np.uint8),
        PEOPLE,
    )
    trait = rng.standard_normal(PEOPLE) + 4 * dosage[:3].sum(axis=0)
    return CohortInput(PackedMatrix.from_dosage(dosage), sites, {"trait": trait}, "GRCh38", private)


def ask(cohort: CohortInput, *regions: str, kind: ResultClass = ResultClass.FULL) -> Released:
    parameters = RareVariants(trait="trait", regions=regions, pcs=0)
    result = run("rare-variants@1", parameters, cohort)
    return release(result, ReleaseTerms(kind, 1), ReleaseContext(PEOPLE, PEOPLE, buyer_accredited=True))


def test_a_region_that_fewer_than_ten_people_carry_anything_in_says_nothing(cohort: CohortInput) -> None:
    released = ask(cohort, "ONE=1:50-50", "NINE=1:60-60", "NOBODY=1:70-80", "MANY=1:1-30")
    assert released.table["region"].tolist() == ["MANY"]
    assert released.summary["regions_tested"] == 1  # which of the others holds anybody is not told


def test_a_region_in_which_one_person_weighs_most_says_nothing(cohort: CohortInput) -> None:
    """Ten carriers of a variant that is far less weighty than the one that a single person carries twice."""
    dosage = cohort.matrix.dosage().copy()
    dosage[0] = 0
    dosage[0, :20] = 1
    dosage[1] = 0
    dosage[1, 900] = 2
    heavy = CohortInput(PackedMatrix.from_dosage(dosage), cohort.sites, cohort.phenotypes, "GRCh38", cohort.private)
    assert ask(heavy, "HEAVY=1:1-2").table["region"].tolist() == []
    assert ask(heavy, "LIGHT=1:1-1").table["region"].tolist() == ["LIGHT"]


def test_counts_leave_in_tens_and_nothing_of_single_variants(cohort: CohortInput) -> None:
    released = ask(cohort, "MANY=1:1-15")
    assert released.table["variants"].tolist() == [10]
    assert released.table["carriers"][0] % 10 == 0
    assert not {"fewest", "leverage"} & set(released.table)
    assert set(released.to_files()) == {"regions.tsv", "metadata.yaml"}


def test_hits_are_the_regions_beyond_the_exomes_threshold(cohort: CohortInput) -> None:
    released = ask(cohort, "ACTS=1:1-3", "DOES_NOT=1:10-20", kind=ResultClass.HITS)
    assert released.table["region"].tolist() == ["ACTS"]
    assert released.summary["hits"] == 1
    assert released.summary["regions_tested"] == 2
    assert b'rounded_down_to_tens: "variants, carriers"\n' in released.to_files()["metadata.yaml"]
