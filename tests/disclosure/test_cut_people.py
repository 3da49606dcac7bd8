"""Counts of people: by what they lack, and by where a buyer's own loadings put them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nebula.analysis.catalogue import run
from nebula.analysis.inputs import CohortInput, Sites
from nebula.analysis.parameters import AlleleFrequency, Missingness
from nebula.analysis.projection_parameters import Projection
from nebula.disclosure.cut_people import join_small_rows
from nebula.disclosure.release import ReleaseContext, Released, ReleaseTerms, release
from nebula.genome.matrix import PackedMatrix
from nebula.protocol.errors import NotPermittedError
from nebula.protocol.study import ResultClass

PEOPLE, VARIANTS = 1000, 300


@pytest.fixture(scope="module")
def cohort() -> CohortInput:
    rng = np.random.default_rng(0)
    dosage = rng.binomial(2, 0.3, (VARIANTS, PEOPLE)).astype(np.int8)
    dosage[0] = 0
    dosage[0, 5] = 2
    dosage[3, :8] = -1
    dosage[4, :40] = -1
    dosage[:, 600] = -1
    letters = np.array(["A"] * VARIANTS, object), np.array(["C"] * VARIANTS, object)
    sites = Sites(np.array(["1"] * 200 + ["X"] * 100), np.arange(1, VARIANTS + 1), *letters)
    sex = (np.arange(PEOPLE) % 2).astype(float)
    return CohortInput(PackedMatrix.from_dosage(dosage), sites, {"sex": sex}, "GRCh38")


def ask(analysis: str, parameters: object, cohort: CohortInput) -> Released:
    result = run(analysis, parameters, cohort)
    return release(result, ReleaseTerms(ResultClass.FULL, 1), ReleaseContext(PEOPLE, PEOPLE, True))


def test_few_missing_genotypes_and_the_person_who_lacks_all_are_hidden(cohort: CohortInput) -> None:
    released = ask("missingness@1", Missingness(), cohort)
    assert released.table["missing"][:5].tolist() == [-1, -1, -1, -1, 41]
    assert np.isnan(released.table["missing_share"][3])
    people = released.more["missing_people.tsv"]["people"]
    assert people.sum() == PEOPLE
    assert people.min() >= 10
    assert set(released.to_files()) == {"missingness.tsv", "missing_people.tsv", "metadata.yaml"}


@given(st.lists(st.integers(0, 40), min_size=1, max_size=10))
def test_joined_rows_hold_everybody_and_never_a_few(people: list[int]) -> None:
    joined = join_small_rows({"share_at_most": np.arange(len(people)) / 10, "people": np.array(people)})["people"]
    assert (joined >= 10).all()
    assert joined.sum() in (sum(people), 0)
    assert joined.sum() == sum(people) or sum(people) < 10


def loading_rows(values: np.ndarray) -> tuple[str, ...]:
    return tuple(f"1:{index + 1}:C:A:0.3:{one:.6f},{two:.6f}" for index, (one, two) in enumerate(values.tolist()))


def test_people_stand_in_squares_in_tens(cohort: CohortInput) -> None:
    values = np.random.default_rng(1).standard_normal((200, 2))
    released = ask(
        "pca-projection@1",
        Projection(reference="R", build="GRCh38", rows=loading_rows(values), grid_step=8.0),
        cohort,
    )
    assert (released.table["people"] % 10 == 0).all()
    assert (released.table["people"] >= 10).all()
    assert released.table["people"].sum() <= PEOPLE


def test_a_side_too_small_for_the_loadings_is_told_in_the_summary(cohort: CohortInput) -> None:
    rows = loading_rows(np.random.default_rng(1).standard_normal((200, 2)))
    small, large = (
        ask("pca-projection@1", Projection(reference="R", build="GRCh38", rows=rows, grid_step=step), cohort)
        for step in (0.1, 8.0)
    )
    assert "of the people shown on components 1 and 2" in small.summary["outermost_squares"]
    assert "outermost_squares" not in large.summary


def test_loadings_that_point_at_one_person_are_refused(cohort: CohortInput) -> None:
    """Only the variant that one person alone carries has a loading."""
    values = np.zeros((200, 2))
    values[0] = 1.0
    values[1] = (0.0, 1e-3)
    with pytest.raises(NotPermittedError) as refusal:
        ask(
            "pca-projection@1",
            Projection(reference="R", build="GRCh38", rows=loading_rows(values), grid_step=1),
            cohort,
        )
    assert refusal.value.code == "disclosure.one-person"


def test_a_test_on_x_in_women_is_hidden_where_women_or_men_have_a_small_cell(cohort: CohortInput) -> None:
    dosage = cohort.matrix.dosage().copy()
    women = cohort.phenotypes["sex"] == 0
    dosage[250, women] = np.random.default_rng(2).binomial(2, 0.5, women.sum())
    dosage[250, ~women] = 0
    dosage[250, np.flatnonzero(~women)[:4]] = 1  # four men alone: their cell is the difference
    changed = CohortInput(PackedMatrix.from_dosage(dosage), cohort.sites, cohort.phenotypes, "GRCh38")
    table = ask("allele-frequency@1", AlleleFrequency(sex="sex"), changed).table
    row = table["base_pair_location"].tolist().index(251)
    assert np.isnan(table["hwe_p_value"][row])
    assert table["heterozygous"][row] == -1
    shown = (table["chromosome"] == 23) & np.isfinite(table["hwe_p_value"])
    assert shown.sum() > 50
