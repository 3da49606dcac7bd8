import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nebula.analysis.catalogue import run
from nebula.analysis.inputs import CohortInput, Sites
from nebula.analysis.score_parameters import VariantPhewas
from nebula.disclosure.cut_phewas import false_discovery_rate
from nebula.disclosure.release import ReleaseContext, ReleaseTerms, release
from nebula.genome.matrix import PackedMatrix
from nebula.protocol.study import ResultClass

PEOPLE = 1000


def test_traits_that_few_people_decide_say_nothing() -> None:
    """A variant of nine copies; a disease of nine people; one in whose cases the variant is carried nine times."""
    rng = np.random.default_rng(0)
    dosage = rng.binomial(2, 0.3, (2, PEOPLE)).astype(np.int8)
    dosage[1] = 0
    dosage[1, :9] = 1
    carriers = np.flatnonzero(dosage[0] == 1)
    few = np.zeros(PEOPLE)
    few[rng.choice(np.flatnonzero(dosage[0] == 0), 60, replace=False)] = 1
    few[carriers[:9]] = 1
    columns = {
        "height": rng.standard_normal(PEOPLE),
        "case": (rng.random(PEOPLE) < 0.3).astype(float),
        "nine": (np.arange(PEOPLE) < 9).astype(float),
        "few": few,
    }
    alleles = np.array(["C"] * 2, object), np.array(["A"] * 2, object)
    sites = Sites(np.array(["1"] * 2), np.arange(1, 3), *alleles)
    cohort = CohortInput(PackedMatrix.from_dosage(dosage), sites, columns)

    def shown(variant: str) -> list[str]:
        parameters = VariantPhewas(variant=variant, traits=tuple(columns), pcs=0)
        found = run("phewas-variant@1", parameters, cohort)
        released = release(found, ReleaseTerms(ResultClass.FULL, 1), ReleaseContext(PEOPLE, PEOPLE, True))
        assert set(released.to_files()) == {"phewas.tsv", "metadata.yaml"}
        assert not {"fewest", "leverage"} & set(released.table)
        assert set(released.table["variant_id"]) <= {variant.replace(":", "_")}
        assert set(released.table["effect_allele"]) <= {"A"}
        assert released.summary["traits_tested"] == len(released.table["trait"])
        return released.table["trait"].tolist()

    assert shown("1:1:C:A") == ["height", "case"]
    assert shown("1:2:C:A") == []


@given(st.lists(st.floats(1e-12, 1), min_size=1, max_size=30))
def test_rates_are_those_of_scipy(p: list[float]) -> None:
    from scipy import stats

    np.testing.assert_allclose(false_discovery_rate(np.array(p)), stats.false_discovery_control(p), rtol=1e-12)


@pytest.mark.parametrize("count", [0, 1])
def test_few_tests_need_little_correction(count: int) -> None:
    assert false_discovery_rate(np.full(count, 0.3)).tolist() == [0.3] * count
