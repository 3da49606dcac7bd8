from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nebula.analysis import regional_measured
from nebula.analysis.inputs import CohortInput, Sites, Table
from nebula.analysis.logistic import NoFit, associate_cases
from nebula.analysis.parameters import LinearGwas, LogisticGwas
from nebula.analysis.regional import FrequencyModel, run_all, run_shard, select_analysed
from nebula.analysis.regional_cases import LogisticModel
from nebula.analysis.regional_measured import LinearModel
from nebula.analysis.sharding import Piece, Shard, combine, plan
from nebula.genome.matrix import PackedMatrix


@pytest.fixture
def cohort(made_up: np.ndarray) -> CohortInput:
    sites = Sites(np.array(["1"] * 600), np.arange(1, 601), np.array(["A"] * 600), np.array(["C"] * 600))
    return CohortInput(PackedMatrix.from_dosage(made_up), sites, {})


PEOPLE = np.arange(203) % 20 != 4
LINEAR, LOGISTIC = LinearGwas(trait="trait", pcs=0), LogisticGwas(trait="trait", pcs=0)


def a_model(name: str) -> Callable[[PackedMatrix, Sites], Table]:
    """An analysis of most of the people, with covariates where it has any, fitted once."""
    rng = np.random.default_rng(3)
    trait, covariates = rng.standard_normal(PEOPLE.sum()), rng.standard_normal((PEOPLE.sum(), 4))
    match name:
        case "linear":
            return LinearModel.fit(LINEAR, PEOPLE, trait, covariates)
        case "logistic":
            return LogisticModel.fit(LOGISTIC, PEOPLE, (trait > 0.7).astype(float), covariates)
        case _:
            return FrequencyModel()


def assert_same_bits(found: Table, expected: Table) -> None:
    assert list(found) == list(expected)
    for name, column in expected.items():
        assert column.dtype == found[name].dtype
        assert column.tolist() == found[name].tolist(), name


@pytest.mark.parametrize("shards", [2, 7, 600])
@pytest.mark.parametrize("name", ["linear", "logistic", "frequency"])
def test_shards_in_any_order_give_the_same_bits_as_one(cohort: CohortInput, name: str, shards: int) -> None:
    analysis = a_model(name)
    (whole,) = plan(600, 1)
    pieces = [run_shard(analysis, shard, cohort) for shard in plan(600, shards)]
    assert len(pieces) == shards
    order = np.random.default_rng(shards).permutation(shards)
    expected = combine([run_shard(analysis, whole, cohort)], 600)
    assert len(expected["chromosome"]) > 400
    assert_same_bits(combine([pieces[index] for index in order], 600), expected)


@pytest.mark.parametrize("minimum_maf", [0.0, 0.05, 0.45])
def test_a_table_is_the_same_whether_untested_variants_are_copied_apart_or_scanned_along(
    cohort: CohortInput, monkeypatch: pytest.MonkeyPatch, minimum_maf: float
) -> None:
    rng = np.random.default_rng(3)
    parameters = LinearGwas(trait="trait", pcs=0, minimum_maf=minimum_maf)
    trait, covariates = rng.standard_normal(PEOPLE.sum()), rng.standard_normal((PEOPLE.sum(), 4))
    model = LinearModel.fit(parameters, PEOPLE, trait, covariates)
    tables = []
    for share in (0.0, 1.0):
        monkeypatch.setattr(regional_measured, "WORTH_COPYING", share)
        tables.append(run_all(model, cohort))
    assert len(tables[0]["beta"]) > 0
    assert_same_bits(*tables)


def test_a_sharded_table_of_cases_is_that_of_all_variants_at_once(cohort: CohortInput) -> None:
    rng = np.random.default_rng(5)
    case, covariates = (rng.random(PEOPLE.sum()) < 0.1).astype(float), rng.standard_normal((PEOPLE.sum(), 2))
    found = run_all(LogisticModel.fit(LOGISTIC, PEOPLE, case, covariates), cohort, shards=9)
    analysed, _, rows = select_analysed(LOGISTIC, PEOPLE, cohort.matrix, cohort.sites)
    unsharded = associate_cases(analysed.select_variants(rows), case, covariates)
    estimated = unsharded.no_fit == NoFit.NONE
    assert (
        found["base_pair_location"].tolist()
        == cohort.sites.select(rows).select(estimated).columns()["base_pair_location"].tolist()
    )
    assert {"SCORE", "WALD", "FIRTH"} == set(found["test"])
    for name, column in (
        ("beta", unsharded.beta),
        ("standard_error", unsharded.standard_error),
        ("neg_log_10_p_value", unsharded.neg_log10_p),
        ("n_cases", unsharded.cases),
    ):
        assert found[name].tolist() == column[estimated].tolist()


@given(st.integers(1, 60), st.integers(1, 70))
def test_a_plan_covers_every_site_once_and_shares_them_out(sites: int, shards: int) -> None:
    planned = plan(sites, shards)
    assert [site for shard in planned for site in range(shard.first, shard.last)] == list(range(sites))
    assert len(planned) == min(sites, shards)
    sizes = [len(shard) for shard in planned]
    assert 0 < min(sizes) <= max(sizes) <= min(sizes) + 1


def test_an_empty_panel_is_one_empty_shard(cohort: CohortInput) -> None:
    nothing = CohortInput(cohort.matrix.select_variants(slice(0, 0)), cohort.sites.select(slice(0, 0)), {})
    (only,) = plan(0, 5)
    assert len(combine([run_shard(FrequencyModel(), only, nothing)], 0)["n"]) == 0


@pytest.mark.parametrize(
    "shards", [[Shard(0, 2)], [Shard(1, 3)], [Shard(0, 2), Shard(1, 3)], [Shard(0, 1), Shard(2, 3)], []]
)
def test_pieces_that_do_not_make_up_the_panel_are_refused(shards: list[Shard]) -> None:
    pieces = [Piece(shard, {"n": np.zeros(len(shard))}) for shard in shards]
    with pytest.raises(ValueError, match="pieces"):
        combine(pieces, 3)
