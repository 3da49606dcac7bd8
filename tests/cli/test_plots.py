"""What is drawn of a result's files: parsed again, as a buyer gets them."""

from pathlib import Path

import numpy as np
import pytest

from nebula.analysis.report import to_tsv
from nebula.analysis.structure import people_on_squares
from nebula.cli.plots import draw
from nebula.protocol.receipt import Receipt
from nebula.protocol.result import SUMMARY_FILE, ResultBundle
from nebula.protocol.study import ResultClass
from nebula.protocol.wire import to_canonical

HASH = "0x" + "11" * 32
RECEIPT = Receipt(
    study=HASH,
    run=HASH,
    session="0x" + "11" * 20,
    measurement=HASH,
    trust_root=HASH,
    analysis_digest=HASH,
    consent_block_number=1,
    consent_block_hash=HASH,
    use_root=HASH,
    payout_root=HASH,
    record_count=1200,
    amount_wei="1",
    privacy_micro_rho=0,
    result_digest=HASH,
    simulated=True,
)
TRAITS = {
    "trait": np.array(["height", "weight"], object),
    "beta": np.array([0.1, -0.2]),
    "neg_log_10_p_value": np.array([9.0, 0.0]),
}


def drawn(analysis: str, files: dict, summary: dict, folder: Path) -> dict[str, str]:
    """The texts of the plots, by name."""
    written = {name: to_tsv(table) for name, table in files.items()}
    written |= {SUMMARY_FILE: to_canonical({"sample_size": 1100} | summary)}
    bundle = ResultBundle(study=HASH, run=HASH, analysis=analysis, result_class=ResultClass.FULL, files=written)
    paths = draw(bundle, RECEIPT, folder, title="A study")
    return {name: path.read_text("utf-8") for name, path in paths.items() if name.endswith("_svg")}


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"variant": "1:12345:A:G"}, "effects of allele G of 1:12345:A:G"),
        ({"score": "PGS000001"}, "effects of the score PGS000001, for one standard deviation"),
    ],
)
def test_traits_are_drawn_by_what_acts_on_them(parameters: dict, said: str, tmp_path: Path) -> None:
    plots = drawn("phewas@1", {"phewas.tsv": TRAITS}, {"parameters": parameters}, tmp_path)
    assert list(plots) == ["phewas_svg"]
    assert said in plots["phewas_svg"]
    assert "n = 1,100" in plots["phewas_svg"], "people who lack a trait are not counted"


@pytest.mark.parametrize(
    ("file", "summary", "unit"),
    [
        ("structure.tsv", {"grid_step_standard_deviations": 0.25}, "standard deviations"),
        ("projection.tsv", {"parameters": {"grid_step": 8.0}}, "the loadings' units"),
    ],
)
def test_people_are_drawn_in_squares_for_each_pair_of_components(
    file: str, summary: dict, unit: str, tmp_path: Path
) -> None:
    pairs = [people_on_squares(np.zeros((990, 2)), first) for first in (1, 3)]
    table = {name: np.concatenate([pair[name] for pair in pairs]) for name in pairs[0]}

    plots = drawn("pca@1", {file: table}, summary, tmp_path)

    assert list(plots) == ["components_1_2_svg", "components_3_4_svg"]
    assert f"component 3, in {unit}" in plots["components_3_4_svg"]
    assert "990 of 1,100 people are shown" in plots["components_1_2_svg"]
