"""What a buyer types about whom to count."""

import pytest

from nebula.buyer.discover import Told
from nebula.cli.discovery_words import parse_filter, parse_variant, told_in_words
from nebula.protocol.beacon import AnswerInfo, Filter, Granularity, Operator, Query, ResponseSummary, respond
from nebula.protocol.errors import RejectedInputError


def test_a_variant_is_typed_from_one_and_sent_from_zero() -> None:
    found = parse_variant("chr22-16050075-a-G", assembly="GRCh38")
    assert (found.reference_name, found.start) == ("chr22", (16050074,))
    assert (found.reference_bases, found.alternate_bases) == ("A", "G")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "22",
        "22-1-A",
        "22-x-A-G",
        "22-0-A-G",
        "99-1-A-G",
        "22-1-A-<DEL>",
        "22-1-A-G-T",
        "22-999999999-A-G",
        f"22-{'9' * 5000}-A-G",
        "22-٣-A-G",
    ],
)
def test_what_is_no_variant_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(RejectedInputError) as refusal:
        parse_variant(text, assembly="GRCh38")
    assert refusal.value.code == "discovery.variant"
    assert "22-16050075-A-G" in (refusal.value.hint or "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("height >= 170", Filter(id="height", operator=Operator.AT_LEAST, value=170.0)),
        ("height<=1.7e2 cm", Filter(id="height", operator=Operator.AT_MOST, value=170.0, unit="cm")),
        ("age of onset = -3", Filter(id="age of onset", value=-3.0)),
        ("sex = female", Filter(id="sex", value="female")),
        ("stage = 2b", Filter(id="stage", value="2b")),
    ],
)
def test_a_condition_is_a_name_a_comparison_and_a_value(text: str, expected: Filter) -> None:
    assert parse_filter(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "height", "height > 170", ">= 170", "height >=", "sex >= female"),
        *("height != 170", "sex != female", "height == 170", "sex == female", "height >= 1e999", "height => 170"),
        *("sex = \udcff", "sex = \x00"),
    ],
)
def test_what_is_no_condition_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(RejectedInputError) as refusal:
        parse_filter(text)
    assert refusal.value.code == "discovery.condition"


def words(
    people: int | None, granularity: Granularity, *, simulated: bool = True, filters: tuple[Filter, ...] = ()
) -> str:
    asked = Query(requested_granularity=granularity, filters=filters)
    shown = people if granularity is Granularity.COUNT else None
    summary = ResponseSummary(exists=people is not None, num_total_results=shown)
    info = AnswerInfo(noise_standard_deviation=10.0, least_told=32, simulated=simulated)
    study = "0x" + "11" * 32
    return "\n".join(told_in_words(Told(study, respond(asked, summary, info, study=study), 7)))


@pytest.mark.parametrize(
    ("people", "granularity", "expected"),
    [
        (1234, Granularity.COUNT, "about [bold]1,234[/bold] people"),
        (1234, Granularity.BOOLEAN, "32 people or more"),
        (None, Granularity.COUNT, "fewer than 32"),
        (None, Granularity.BOOLEAN, "fewer than 32"),
    ],
)
def test_an_answer_says_how_sure_it_is_and_by_which_block(
    people: int | None, granularity: Granularity, expected: str
) -> None:
    said = words(people, granularity)
    assert expected in said
    assert "give or take 20" in said
    assert "as of block 7" in said


def test_where_few_fit_the_columns_are_named_because_a_mistyped_one_is_not_told_apart() -> None:
    filters = (Filter(id="heigth", operator=Operator.AT_LEAST, value=1.0), Filter(id="sex[bold]", value="female"))
    said = words(None, Granularity.COUNT, filters=filters)
    assert "perhaps none" in said
    assert "check heigth, sex\\[bold]" in said
    assert "check" not in words(40, Granularity.COUNT, filters=filters)
    assert "check" not in words(None, Granularity.COUNT)


def test_simulated_hardware_is_always_said() -> None:
    assert "SIMULATED" in words(None, Granularity.COUNT)
    assert "SIMULATED" not in words(40, Granularity.COUNT, simulated=False)
