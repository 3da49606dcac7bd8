from typing import Any

import numpy as np
import pytest

from nebula.analysis.catalogue import run
from nebula.analysis.effect import effect_on_trait
from nebula.analysis.inputs import CohortInput, Sites, private_spans
from nebula.analysis.region_parameters import RareVariants
from nebula.analysis.run_rare import gather_region
from nebula.analysis.skat import NullModel, beta_weights, run_region_tests
from nebula.genome.keys import variant_key
from nebula.genome.matrix import PackedMatrix
from nebula.genome.private import PrivateVariants
from nebula.protocol.errors import RejectedInputError

PEOPLE = 1200


def private_of(dosage: np.ndarray, keys: list[int], people: int) -> PrivateVariants:
    carriers = [np.flatnonzero(row) for row in dosage]
    return PrivateVariants(
        np.array(keys, dtype=np.uint64),
        np.cumsum([0, *(len(one) for one in carriers)]),
        np.concatenate(carriers).astype(np.int32),
        np.concatenate([row[one] for row, one in zip(dosage, carriers, strict=True)]).astype(np.uint8),
        people,
    )


@pytest.fixture(scope="module")
def dosage() -> np.ndarray:
    """40 rare variants and 10 common ones on chromosome 1, at 100, 200, ...; every fourth counts the other allele."""
    rng = np.random.default_rng(3)
    frequency = np.where(np.arange(50) % 5 == 4, 0.3, 0.004)
    made = rng.binomial(2, frequency[:, None], (50, PEOPLE)).astype(np.int8)
    made[::4] = 2 - made[::4]
    made[rng.random(made.shape) < 0.01] = -1
    return made


@pytest.fixture(scope="module")
def private() -> np.ndarray:
    """20 more, off the panel, at 150, 250, ..."""
    return np.random.default_rng(4).binomial(2, 0.002, (20, PEOPLE)).astype(np.int8)


@pytest.fixture(scope="module")
def cohort(dosage: np.ndarray, private: np.ndarray) -> CohortInput:
    alleles = np.array(["A"] * 50, object), np.array(["C"] * 50, object)
    sites = Sites(np.array(["1"] * 50), np.arange(1, 51) * 100, *alleles)
    rng = np.random.default_rng(5)
    trait = rng.standard_normal(PEOPLE) + private[:10].sum(axis=0)
    trait[:20] = np.nan
    keys = [variant_key("1", 150 + 100 * index, "G", "T") for index in range(20)]
    columns = {"trait": trait, "case": (trait > 0.3).astype(float), "age": rng.uniform(20, 70, PEOPLE)}
    columns["case"][:20] = np.nan
    matrix = PackedMatrix.from_dosage(dosage)
    return CohortInput(matrix, sites, columns, "GRCh38", private_of(private, keys, PEOPLE))


def asked(**changes: Any) -> RareVariants:
    regions = ("GENE1=1:100-1099", "GENE2=1:1100-1199", "GENE2=1:1300-2000", "NONE=7:1-10")
    return RareVariants(**{"trait": "trait", "regions": regions, "pcs": 0} | changes)


def by_hand(dosage: np.ndarray, maximum: float = 0.01) -> np.ndarray:
    """One variant after the other: rare ones, oriented to the rarer allele, missing ones at the mean."""
    rows = []
    for row in dosage:
        seen = row[row >= 0]
        p = seen.mean() / 2
        copies = row if p <= 0.5 else np.where(row >= 0, 2 - row, -1)
        q = min(p, 1 - p)
        if 0 < q <= maximum:
            rows.append(np.where(copies >= 0, copies, 2 * q))
    return np.array(rows).T


def test_a_region_holds_its_rare_variants_on_and_off_the_panel(
    cohort: CohortInput, dosage: np.ndarray, private: np.ndarray
) -> None:
    found = gather_region(cohort, np.arange(10), ((1, 100, 1099),), asked())
    np.testing.assert_allclose(found.genotypes, by_hand(np.vstack([dosage[:10], private[:10]])))
    np.testing.assert_allclose(found.genotypes.mean(axis=0), 2 * found.frequency)


def test_each_region_is_tested_with_what_it_holds(cohort: CohortInput, dosage: np.ndarray, private: np.ndarray) -> None:
    result = run("rare-variants@1", asked(covariates=("age",)), cohort)
    assert result.table["region"].tolist() == ["GENE1", "GENE2"]
    kept = np.isfinite(cohort.phenotypes["trait"])
    trait, covariates = cohort.phenotypes["trait"][kept], cohort.phenotypes["age"][kept, None]
    null = NullModel.fit(trait, covariates)
    panels = {"GENE1": range(10), "GENE2": [10, *range(12, 20)]}
    own = {"GENE1": range(10), "GENE2": [10, *range(12, 19)]}
    for row, name in enumerate(result.table["region"]):
        genotypes = by_hand(np.vstack([dosage[list(panels[name])], private[list(own[name])]])[:, kept])
        weights = beta_weights(genotypes.mean(axis=0) / 2)
        tests = run_region_tests(null, genotypes, weights)
        effect = effect_on_trait(trait, genotypes @ weights, covariates)
        assert result.table["neg_log_10_p_skat_o"][row] == pytest.approx(tests.skat_o)
        assert result.table["beta"][row] == pytest.approx(effect.beta)
        assert result.table["variants"][row] == genotypes.shape[1]
        assert result.table["carriers"][row] == (genotypes >= 1).any(axis=1).sum()
    assert result.table["neg_log_10_p_burden"][0] > 5


def test_without_private_variants_the_panel_alone_counts(cohort: CohortInput) -> None:
    with_them, without = asked(), asked(private=False)
    assert len(private_spans(with_them)) == 4
    assert private_spans(without) == ()
    bare = CohortInput(cohort.matrix, cohort.sites, cohort.phenotypes, "GRCh38")
    table = run("rare-variants@1", without, bare).table
    assert (table["variants"] < run("rare-variants@1", with_them, cohort).table["variants"]).all()


def test_the_fewest_are_counted_among_cases_and_among_controls(cohort: CohortInput) -> None:
    table = run("rare-variants@1", asked(trait="case"), cohort).table
    kept = np.isfinite(cohort.phenotypes["case"])
    region = gather_region(cohort.select_people(kept), np.arange(10), ((1, 100, 1099),), asked())
    cases = cohort.phenotypes["case"][kept] == 1
    assert table["fewest"][0] == min(region.carriers[cases].sum(), region.carriers[~cases].sum())


@pytest.mark.parametrize(
    "regions",
    [
        ("A=1:5-4",),
        ("A=1:1-10", "B=1:10-20"),
        ("A=1:1-20000000",),
        ("A=1:1-5", "A=2:1-5"),
        ("A=X:1-5",),
        ("A 1:1-5",),
        (),
    ],
)
def test_regions_that_cannot_be_are_refused(regions: tuple[str, ...]) -> None:
    from nebula.analysis.parameters import parse_parameters

    with pytest.raises(RejectedInputError) as refusal:
        parse_parameters("rare-variants@1", {"trait": "t", "regions": list(regions)})
    assert refusal.value.code == "analysis.parameters"
