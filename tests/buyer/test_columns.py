"""What a buyer is told about columns that may be mistyped: only what its own results have shown."""

import msgspec
import pytest

from buyer.test_drafting import NOW, PANEL, SETTINGS, WORDS
from nebula.buyer.columns import columns_of, likely_meant
from nebula.buyer.draft import StudyDraft
from nebula.buyer.drafting import write_study
from nebula.protocol.study import Condition, StudyDocument


def about(trait: str, *covariates: str, condition: str | None = None) -> StudyDocument:
    draft = StudyDraft(**WORDS, trait=trait, covariates=covariates, pcs=0)
    if condition is not None:
        draft = msgspec.structs.replace(draft, conditions=(Condition(column=condition, minimum=1.0),))
    return write_study(draft, SETTINGS, buyer="0x" + "b0" * 20, result_key=bytes(32), panel=PANEL, at=NOW)


def test_a_studys_columns_are_those_analysed_and_those_of_its_conditions() -> None:
    assert columns_of(about("height", "age", "sex", condition="age")) == ("height", "age", "sex")
    assert columns_of(about("height", condition="weight")) == ("height", "weight")


@pytest.mark.parametrize("typed", ["heigth", "Height", "hight", "heights"])
def test_a_column_nearly_like_one_of_a_result_is_taken_for_it(typed: str) -> None:
    assert likely_meant(about(typed, "sex"), [about("height", "sex")], has_result=lambda _study: True) == {
        typed: "height"
    }


def test_a_column_that_was_named_before_is_left_alone() -> None:
    earlier = [about("height"), about("heights")]
    assert likely_meant(about("heights"), earlier, has_result=lambda _study: True) == {}


def test_a_study_without_a_result_tells_of_no_column() -> None:
    earlier = [about("heigth"), about("height", "age")]
    assert likely_meant(about("heighth"), earlier, has_result=lambda study: study == earlier[1]) == {
        "heighth": "height"
    }
    assert likely_meant(about("height"), earlier[:1], has_result=lambda _study: False) == {}


def test_a_column_like_none_is_left_alone() -> None:
    assert likely_meant(about("ldl"), [about("height")], has_result=lambda _study: True) == {}
