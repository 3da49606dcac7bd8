import gzip
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nebula.analysis.catalogue import run
from nebula.analysis.effect import effect_on_trait
from nebula.analysis.inputs import CohortInput, Sites
from nebula.analysis.run_score import area_under_curve, score_groups
from nebula.analysis.score_match import match_score
from nebula.analysis.score_parameters import PolygenicScore
from nebula.analysis.scores import person_scores
from nebula.analysis.scoring_file import ScoreVariant, parse_scoring_file
from nebula.genome.matrix import PackedMatrix
from nebula.protocol.errors import RejectedInputError


@pytest.fixture
def cohort(made_up: np.ndarray) -> CohortInput:
    sites = Sites(
        np.array(["1"] * 600), np.arange(1, 601) * 100, np.array(["A"] * 600, object), np.array(["C"] * 600, object)
    )
    rng = np.random.default_rng(2)
    trait = rng.standard_normal(203)
    trait[:5] = np.nan
    columns = {"trait": trait, "case": (np.arange(203) % 3 == 0).astype(float), "age": rng.uniform(20, 60, 203)}
    return CohortInput(PackedMatrix.from_dosage(made_up), sites, columns, "GRCh38")


def asked(**changes: Any) -> PolygenicScore:
    rows = tuple(f"1:{100 * (i + 1)}:{'AC' if i % 2 else 'CA'}:0.{i % 7 + 1}".replace("AC", "A:C") for i in range(400))
    rows = tuple(row.replace("CA:", "C:A:") for row in rows)
    return PolygenicScore(**{"score": "PGS1", "build": "GRCh38", "rows": rows, "pcs": 0} | changes)


def slow_person_scores(dosage: np.ndarray, variants: list[ScoreVariant], sites: Sites) -> np.ndarray:
    """One person after the other, one row after the other."""
    place = {int(at): row for row, at in enumerate(sites.position)}
    out = np.zeros(dosage.shape[1])
    for variant in variants:
        row = place[variant.position]
        copies = [d if variant.effect == sites.alternate[row] else 2 - d for d in dosage[row]]
        known = [variant.weights[c] for c, d in zip(copies, dosage[row], strict=True) if d >= 0]
        for person, d in enumerate(dosage[row]):
            out[person] += variant.weights[copies[person]] if d >= 0 else sum(known) / len(known)
    return out


def test_a_score_weighs_copies_by_each_rows_own_model(cohort: CohortInput, made_up: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    weights = rng.standard_normal((50, 3))
    weights[::2, 0], weights[::2, 2] = 0.0, 2 * weights[::2, 1]
    alleles = [("A", "C"), ("C", "A")]
    variants = [ScoreVariant("1", 100 * (5 + 7 * i), *alleles[i % 2], tuple(weights[i])) for i in range(50)]
    matched = match_score(variants, cohort.sites)
    found = person_scores(cohort.matrix, matched, np.ones(50, bool))
    np.testing.assert_allclose(found, slow_person_scores(made_up, variants, cohort.sites), atol=1e-5)


def test_a_score_from_the_catalogue_is_that_of_plink2(
    real_cohort: Any, plink2: Callable[..., Path], shared_data: Path, tmp_path: Path
) -> None:
    text = gzip.decompress((shared_data / "scores/PGS001229_hmPOS_GRCh38.txt.gz").read_bytes()).decode()
    score = parse_scoring_file(text, leave_out_complex=True)
    matched = match_score(score.variants, real_cohort.sites)
    assert len(matched.rows) > 300
    assert matched.report()["ambiguous"] > 0
    matrix = PackedMatrix.from_dosage(real_cohort.dosage)
    found = person_scores(matrix, matched, np.ones(len(matched.rows), bool))
    # The test's files call every alternate allele C and every reference allele A.
    rows = zip(matched.rows.tolist(), matched.effect_is_reference.tolist(), matched.weights[:, 1].tolist(), strict=True)
    lines = [f"v{row}\t{'A' if turned else 'C'}\t{weight!r}" for row, turned, weight in rows]
    (tmp_path / "score.tsv").write_text("\n".join(lines) + "\n")
    out = plink2(
        real_cohort.dosage, real_cohort.sites.chromosome, *["--score", "score.tsv", "1", "2", "3", "cols=+scoresums"]
    )
    header, *people = [line.split() for line in out.with_suffix(".sscore").read_text().splitlines()]
    theirs = np.array([float(line[header.index("SCORE1_SUM")]) for line in people])
    np.testing.assert_allclose(found, theirs, atol=2e-5)


def test_groups_hold_everyone_once_and_equals_together() -> None:
    scores = np.r_[np.zeros(50), np.ones(30), np.full(20, 2.5)]
    table = score_groups(np.random.default_rng(1).permutation(scores), 10)
    assert table["people"].tolist() == [50, 30, 20]
    assert table["mean_score"].tolist() == [0.0, 1.0, 2.5]
    smooth = score_groups(np.arange(1000.0), 10)
    assert smooth["people"].tolist() == [100] * 10
    np.testing.assert_allclose(smooth["mean_score"], np.arange(10) * 100 + 49.5)


def test_the_association_is_of_those_who_have_everything(cohort: CohortInput) -> None:
    result = run("polygenic-score@1", asked(trait="trait", covariates=("age",)), cohort)
    assert result.people == 198
    row = result.more["score_association.tsv"]
    kept = np.isfinite(cohort.phenotypes["trait"])
    matched = match_score(asked().variants, cohort.sites)
    chosen = cohort.matrix.select_samples(kept)
    used = chosen.select_variants(matched.rows).counts()
    minor = np.minimum(used[:, 1] + 2 * used[:, 2], used[:, 1] + 2 * used[:, 0])
    fewest = np.minimum(minor, used[:, :3].sum(axis=1) - used[:, :3].max(axis=1))
    assert result.summary["variants_scored"] == (fewest >= 10).sum() < 400
    scores = person_scores(chosen, matched, fewest >= 10)
    again = effect_on_trait(
        cohort.phenotypes["trait"][kept], scores / scores.std(ddof=1), cohort.phenotypes["age"][kept, None]
    )
    assert row["beta_per_standard_deviation"][0] == pytest.approx(again.beta)
    assert row["explained_variance"][0] == pytest.approx(again.explained)


def test_cases_have_an_area_under_the_curve(cohort: CohortInput) -> None:
    row = run("polygenic-score@1", asked(trait="case"), cohort).more["score_association.tsv"]
    assert row["test"].tolist() == ["WALD"]
    assert (row["n_cases"][0], row["n_controls"][0]) == (68, 135)
    scores, cases = np.array([1.0, 2.0, 2.0, 3.0]), np.array([False, True, False, True])
    assert area_under_curve(scores, cases) == (1 + 0.5 + 1 + 1) / 4


def test_a_score_on_another_build_or_of_another_panel_is_refused(cohort: CohortInput) -> None:
    for parameters, chosen, code in (
        (asked(build="GRCh37"), cohort, "analysis.build"),
        (asked(), replace(cohort, assembly=None), "analysis.build"),
        (asked(rows=(*asked().rows[:3], "2:5:A:C:1", "2:9:A:C:1")), cohort, "analysis.score-match"),
        (asked(rows=("2:5:A:C:1",), minimum_matched=0.0), cohort, "analysis.score-match"),
    ):
        with pytest.raises(RejectedInputError) as refusal:
            run("polygenic-score@1", parameters, chosen)
        assert refusal.value.code == code
