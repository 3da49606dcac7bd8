"""What a buyer is told of a study that was published."""

import msgspec
import pytest

from buyer.test_drafting import write
from nebula.cli.study_publish import next_words
from nebula.protocol.messages import PublishAnswer

STUDY = write(trait="height", covariates=("age",), min_records=3000, max_records=5000)
ANSWER = PublishAnswer(study="0x" + "ab" * 32, matching="3,000 or more", matching_at_most=3499, refused={})


@pytest.mark.parametrize(
    ("matching", "at_most"), [("fewer than 100", 99), ("100 or more", 499), ("2,500 or more", 2999)]
)
def test_a_study_that_not_enough_records_match_is_not_offered_for_funding(matching: str, at_most: int) -> None:
    few = msgspec.structs.replace(ANSWER, matching=matching, matching_at_most=at_most)
    (only,) = next_words(STUDY, few, {})
    assert "needs 3,000 records" in only
    assert "cannot run" in only


def test_a_study_that_may_run_is_to_be_funded_next_and_its_columns_are_named() -> None:
    counted, *_, last = next_words(STUDY, ANSWER, {})
    assert "height, age" in counted
    assert last.startswith("Next: `nebula study fund 0xab")


def test_a_column_that_may_be_mistyped_is_met_with_what_was_meant() -> None:
    lines = next_words(STUDY, ANSWER, {"height": "hight"})
    assert any("did you mean hight?" in line for line in lines)
