import numpy as np

from nebula.analysis.catalogue import run
from nebula.analysis.inputs import CohortInput, Sites
from nebula.analysis.parameters import Missingness
from nebula.analysis.run_missingness import SHARES, missing_of_people
from nebula.genome.matrix import PackedMatrix


def test_variants_and_people_lack_what_is_not_there(made_up: np.ndarray) -> None:
    made_up[:100, 7] = -1
    made_up[:, 9] = -1
    letters = np.array(["A"] * 600, object), np.array(["C"] * 600, object)
    sites = Sites(np.array(["1"] * 600), np.arange(1, 601), *letters)
    cohort = CohortInput(PackedMatrix.from_dosage(made_up), sites, {})
    result = run("missingness@1", Missingness(regions=("1:1-400",)), cohort)
    lacking = made_up[:400] < 0
    np.testing.assert_array_equal(result.table["missing"], lacking.sum(axis=1))
    np.testing.assert_allclose(result.table["missing_share"], lacking.mean(axis=1))
    people = result.more["missing_people.tsv"]
    share = lacking.mean(axis=0)
    lower = np.array([-1.0, *SHARES[:-1]])
    expected = [((share > low) & (share <= high)).sum() for low, high in zip(lower, SHARES, strict=True)]
    assert people["people"].tolist() == expected
    assert people["people"][-1] == 1
    np.testing.assert_array_equal(missing_of_people(cohort.matrix), (made_up < 0).sum(axis=0))
