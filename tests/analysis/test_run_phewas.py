from typing import Any

import numpy as np
import pytest

from nebula.analysis.catalogue import run
from nebula.analysis.inputs import CohortInput, Sites
from nebula.analysis.parameters import analysed_columns
from nebula.analysis.score_parameters import ScorePhewas, VariantPhewas
from nebula.genome.matrix import PackedMatrix


@pytest.fixture(scope="module")
def dosage() -> np.ndarray:
    made = np.random.default_rng(0).binomial(2, 0.3, (20, 900)).astype(np.int8)
    made[3, :7] = -1
    return made


@pytest.fixture(scope="module")
def cohort(dosage: np.ndarray) -> CohortInput:
    rng = np.random.default_rng(1)
    alleles = np.array(["C"] * 20, object), np.array(["A"] * 20, object)
    sites = Sites(np.array(["1"] * 20), np.arange(1, 21), *alleles)
    columns = {
        "height": rng.standard_normal(900) + 0.5 * np.maximum(dosage[3], 0),
        "weight": rng.standard_normal(900),
        "case": (rng.random(900) < 0.2 + 0.2 * (dosage[3] == 2)).astype(float),
        "rare": (np.arange(900) < 6).astype(float),
        "same": np.ones(900),
        "age": rng.standard_normal(900),
    }
    columns["weight"][:40] = np.nan
    return CohortInput(PackedMatrix.from_dosage(dosage), sites, columns, "GRCh38")


def asked(**changes: Any) -> VariantPhewas:
    traits = ("height", "weight", "case", "rare", "same")
    return VariantPhewas(**{"variant": "1:4:C:A", "traits": traits, "covariates": ("age",), "pcs": 0} | changes)


def test_each_trait_is_modelled_by_its_kind_as_statsmodels_does(cohort: CohortInput, dosage: np.ndarray) -> None:
    sm = pytest.importorskip("statsmodels.api")
    result = run("phewas-variant@1", asked(), cohort)
    assert result.people == 860
    assert analysed_columns(asked()) == ("height", "weight", "case", "rare", "same", "age")
    table = result.table
    assert table["trait"].tolist() == ["height", "weight", "case"]  # nobody with the rare one, and all the same, remain
    assert table["test"].tolist() == ["OLS", "OLS", "WALD"]
    genotypes = dosage[3].astype(float)
    kept = np.isfinite(cohort.phenotypes["weight"])
    seen = genotypes[kept]
    assert (seen >= 0).all()
    design = sm.add_constant(np.column_stack([cohort.phenotypes["age"][kept], seen]))
    for row, (name, model) in enumerate((("height", sm.OLS), ("weight", sm.OLS), ("case", sm.Logit))):
        peer = model(cohort.phenotypes[name][kept], design).fit(**({"disp": 0} if model is sm.Logit else {}))
        np.testing.assert_allclose(table["beta"][row], peer.params[-1], rtol=1e-5)
        np.testing.assert_allclose(table["standard_error"][row], peer.bse[-1], rtol=1e-4)
    assert table["n_cases"].tolist() == [-1, -1, int(cohort.phenotypes["case"][kept].sum())]


def test_the_fewest_copies_among_cases_and_controls_stand_beside_each_trait(
    cohort: CohortInput, dosage: np.ndarray
) -> None:
    table = run("phewas-variant@1", asked(traits=("case",)), cohort).table
    cases = cohort.phenotypes["case"] == 1
    seen = [dosage[3][group] for group in (cases, ~cases)]
    apart = [(group >= 0).sum() - max((group == code).sum() for code in (0, 1, 2)) for group in seen]
    assert table["fewest"].tolist() == [min(*(np.maximum(group, 0).sum() for group in seen), *apart, cases.sum())]
    rare = run("phewas-variant@1", asked(traits=("rare", "height"), covariates=()), cohort).table
    assert rare["fewest"].tolist()[0] <= 6


def test_a_score_is_tested_in_its_standard_deviations(cohort: CohortInput) -> None:
    rows = tuple(f"1:{at}:A:C:{0.1 * at:.1f}" for at in range(1, 21))
    parameters = ScorePhewas(score="S", build="GRCh38", rows=rows, traits=("height", "case"), pcs=0)
    table = run("phewas-score@1", parameters, cohort).table
    assert table["trait"].tolist() == ["height", "case"]
    assert 0 < table["standard_error"][0] < 0.05
