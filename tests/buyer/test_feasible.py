"""Terms that could not have a result are refused before they are published."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from buyer.test_drafting import SETTINGS, WORDS
from nebula.buyer.draft import StudyDraft, with_options
from nebula.buyer.drafting import write_study
from nebula.buyer.feasible import require_feasible
from nebula.genome.keys import variant_key
from nebula.genome.panel import Panel
from nebula.protocol.errors import NebulaError
from nebula.protocol.study import StudyDocument

PANEL = Panel("p", "1", "GRCh38", np.array([variant_key("1", at, "A", "G") for at in range(100, 110)], np.uint64))


def write(**options: Any) -> StudyDocument:
    draft = with_options(StudyDraft(), WORDS | options)
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return write_study(draft, SETTINGS, buyer="0x" + "bb" * 20, result_key=bytes(32), panel=PANEL.panel_id, at=at)


@pytest.fixture
def score(tmp_path: Path) -> str:
    rows = "".join(f"1\t{at}\tG\tA\t0.5\n" for at in range(100, 110))
    file = tmp_path / "PGS1.txt"
    columns = "hm_chr\thm_pos\teffect_allele\tother_allele\teffect_weight"
    file.write_text(f"#format_version=2.0\n#pgs_id=PGS1\n#HmPOS_build=GRCh38\n{columns}\n{rows}")
    return str(file)


def refusal_of(**options: Any) -> str:
    with pytest.raises(NebulaError) as refused:
        require_feasible(write(**options), PANEL)
    return refused.value.code


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"analysis": "kinship", "result_class": "hits"}, "disclosure.class-not-offered"),
        ({"trait": "height", "result_class": "noised"}, "disclosure.class-not-offered"),
        ({"trait": "height", "result_class": "full", "max_records": 999}, "study.records"),
        ({"analysis": "phewas-variant", "variant": "1:99:A:G", "traits": ("height",)}, "analysis.unknown-variant"),
        ({"analysis": "gwas-conditional", "trait": "height", "condition": ("1:100:A:C",)}, "analysis.unknown-variant"),
    ],
)
def test_what_no_run_could_answer_is_not_published(options: dict[str, Any], code: str) -> None:
    assert refusal_of(**options) == code


def test_a_score_on_another_build_or_beside_the_panel_is_not_published(score: str) -> None:
    require_feasible(write(analysis="polygenic-score", score=score), PANEL)
    text = Path(score).read_text()
    Path(score).write_text(text.replace("GRCh38", "GRCh37"))
    assert refusal_of(analysis="polygenic-score", score=score) == "analysis.build"
    Path(score).write_text(text.replace("1\t10", "2\t10"))
    assert refusal_of(analysis="polygenic-score", score=score) == "analysis.score-match"


@pytest.mark.parametrize(
    "options",
    [
        {"trait": "height"},
        {"trait": "height", "result_class": "full"},
        {"analysis": "allele-frequency"},
        {"analysis": "phewas-variant", "variant": "1:101:A:G", "traits": ("height",)},
        {"analysis": "gwas-conditional", "trait": "height", "condition": ("1:100:A:G",)},
    ],
)
def test_what_a_run_may_answer_is(options: dict[str, Any]) -> None:
    require_feasible(write(**options), PANEL)


def test_complete_results_need_a_thousand_records_whatever_is_said() -> None:
    assert write(trait="height", result_class="full").min_records == 1_000
    assert write(trait="height", result_class="full", min_records=1_500, max_records=2_000).min_records == 1_500
    assert write(trait="height").min_records == 100
