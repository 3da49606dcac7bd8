from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nebula.analysis.catalogue import run
from nebula.analysis.inputs import CohortInput, Sites
from nebula.analysis.parameters import parse_parameters
from nebula.analysis.projection_parameters import Projection
from nebula.analysis.run_projection import project
from nebula.analysis.score_match import match_score
from nebula.genome.matrix import PackedMatrix
from nebula.protocol.errors import RejectedInputError


@pytest.fixture
def loadings() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    return rng.uniform(0.05, 0.95, 200).round(4), rng.standard_normal((200, 4)).round(5)


def rows(frequency: np.ndarray, loadings: np.ndarray) -> tuple[str, ...]:
    return tuple(
        f"1:{index + 1}:C:A:{p:.4f}:" + ",".join(f"{one:.5f}" for one in own)
        for index, (p, own) in enumerate(zip(frequency.tolist(), loadings.tolist(), strict=True))
    )


def sites(count: int) -> Sites:
    letters = np.array(["A"] * count, object), np.array(["C"] * count, object)
    return Sites(np.array(["1"] * count), np.arange(1, count + 1), *letters)


def test_a_place_is_that_of_plink2_with_the_references_frequencies(
    made_up: np.ndarray, loadings: tuple, plink2: Callable[..., Path], tmp_path: Path
) -> None:
    frequency, own = loadings
    dosage = made_up[:200]
    lines = [f"v{i}\tC\t" + "\t".join(map(repr, row)) for i, row in enumerate(own.tolist())]
    (tmp_path / "loadings.tsv").write_text("\n".join(lines) + "\n")
    header = "#CHROM\tID\tREF\tALT\tALT_FREQS\tOBS_CT\n"
    freqs = [f"1\tv{i}\tA\tC\t{p!r}\t2000" for i, p in enumerate(frequency.tolist())]
    (tmp_path / "ref.afreq").write_text(header + "\n".join(freqs) + "\n")
    arguments = ["--read-freq", "ref.afreq", "--score-col-nums", "3-6", "--score", "loadings.tsv", "1", "2"]
    out = plink2(
        dosage, np.array(["1"] * 200), *arguments, "no-mean-imputation", "variance-standardize", "cols=+scoresums"
    )
    names, *people = [line.split() for line in out.with_suffix(".sscore").read_text().splitlines()]
    columns = [index for index, name in enumerate(names) if name.endswith("_SUM") and name.startswith("SCORE")]
    theirs = np.array([[float(line[index]) for index in columns] for line in people])
    parameters = Projection(reference="R", build="GRCh38", rows=rows(frequency, own), grid_step=1.0)
    matched = match_score(parameters.variants, sites(200))
    found = project(PackedMatrix.from_dosage(dosage), matched, np.array(parameters.loadings)[matched.places])
    np.testing.assert_allclose(found, theirs, atol=2e-4)


def test_counting_the_other_allele_of_the_reference_moves_nobody(made_up: np.ndarray, loadings: tuple) -> None:
    frequency, own = loadings
    matrix = PackedMatrix.from_dosage(made_up[:200])
    straight = match_score(
        Projection(reference="R", build="GRCh38", rows=rows(frequency, own), grid_step=1.0).variants, sites(200)
    )
    turned_rows = tuple(row.replace(":C:A:", ":A:C:") for row in rows(1 - frequency, -own))
    turned = match_score(
        Projection(reference="R", build="GRCh38", rows=turned_rows, grid_step=1.0).variants, sites(200)
    )
    np.testing.assert_allclose(project(matrix, straight, own), project(matrix, turned, -own), atol=1e-3)


def test_everybody_is_counted_once_on_each_pair(made_up: np.ndarray, loadings: tuple) -> None:
    cohort = CohortInput(PackedMatrix.from_dosage(made_up), sites(600), {}, "GRCh38")
    parameters = Projection(reference="R", build="GRCh38", rows=rows(*loadings), grid_step=10.0)
    result = run("pca-projection@1", parameters, cohort)
    for first in (1, 3):
        assert result.table["people"][result.table["component_x"] == first].sum() == 203
    assert result.summary == {"variants_used": 200, "reference": "R"}


@pytest.mark.parametrize(
    "bad",
    [("1:1:C:A:0.5:1",), ("1:1:C:A:0.5:1,2", "1:2:C:A:0.5:1,2,3"), ("1:1:C:A:0.0:1,2",), ("X:1:C:A:0.5:1,2",)],
)
def test_loadings_that_fit_nothing_are_refused(bad: tuple[str, ...]) -> None:
    raw: dict[str, Any] = {"reference": "R", "build": "GRCh38", "rows": list(bad), "grid_step": 1.0}
    with pytest.raises(RejectedInputError):
        parse_parameters("pca-projection@1", raw)
