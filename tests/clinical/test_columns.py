"""Which columns become phenotypes, and which never do."""

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nebula.clinical.tsv import PhenotypeSheet, read_phenotypes
from nebula.protocol.errors import RejectedInputError

PEOPLE = [f"P{number:02d}" for number in range(20)]
HEADER = "person\taccession\tname again\theight\tsex\tsurgery\tempty\tfree text\thome postcode"


def table() -> str:
    lines = [HEADER]
    for number, person in enumerate(PEOPLE):
        sex = "female" if number % 2 else "male"
        surgery = ["hip", "knee"][number % 2] if number < 4 else ""
        cells = [
            person,
            f"SAMEA{number}",
            person,
            str(150 + number),
            sex,
            surgery,
            "#REF!",
            f"note {number}",
            str(number),
        ]
        lines.append("\t".join(cells))
    return "\n".join(lines)


def read(text: str, wanted: list[str] | None = None, people: list[str] = PEOPLE) -> PhenotypeSheet:
    return read_phenotypes(io.BytesIO(text.encode()), samples=people, sample_column="person", wanted=wanted)


def taken(sheet: PhenotypeSheet) -> list[str]:
    return [column.name for column in sheet.columns]


def test_what_a_study_could_use_is_taken_and_of_the_rest_it_is_said_why_not() -> None:
    sheet = read(table())

    assert taken(sheet) == ["height", "sex", "surgery"]
    assert [name for name, _ in sheet.left_out] == ["accession", "empty", "free text", "home postcode", "name again"]
    assert all(why for _, why in sheet.left_out)
    assert {phenotype.name for phenotype in sheet.tables["P03"].phenotypes} == set(taken(sheet))


def test_what_was_asked_for_is_taken_and_nothing_else() -> None:
    sheet = read(table(), wanted=["height", "empty"])

    assert taken(sheet) == ["empty", "height"]
    assert ("sex", "not asked for") in sheet.left_out


@pytest.mark.parametrize("column", ["person", "accession", "name again", "free text", "home postcode"])
def test_what_says_who_somebody_is_is_refused_even_if_it_is_asked_for(column: str) -> None:
    with pytest.raises(RejectedInputError, match=column) as caught:
        read(table(), wanted=["height", column])

    assert caught.value.code == "phenotypes.identifier"


def test_an_unknown_column_is_refused_with_those_that_are_like_it() -> None:
    with pytest.raises(RejectedInputError, match="line 1: there is no column 'HEIGH'") as caught:
        read(table(), wanted=["HEIGH"])

    assert caught.value.hint == "there are: height"


@pytest.mark.parametrize(("wanted", "hint"), [("heigth", "height"), ("Surgry", "surgery"), ("text", "free text")])
def test_a_mistyped_column_is_refused_with_the_one_that_was_meant(wanted: str, hint: str) -> None:
    with pytest.raises(RejectedInputError) as caught:
        read(table(), wanted=[wanted])

    assert caught.value.hint == f"there are: {hint}"


def test_of_one_persons_table_numbers_are_taken_and_texts_only_if_named() -> None:
    alone = "person\theight\tsmokes\tpatient id\nP00\t170\tnever\t77"

    assert taken(read(alone)) == ["height"]
    assert taken(read(alone, wanted=["smokes"])) == ["smokes"]
    with pytest.raises(RejectedInputError):
        read(alone, wanted=["patient id"])


def test_a_column_is_judged_over_everybody_in_the_table_but_must_say_something_of_those_brought_in() -> None:
    assert taken(read(table(), people=["P01"])) == ["height", "sex", "surgery"]
    assert taken(read(table(), people=["P11"])) == ["height", "sex"]


@given(st.lists(st.text("ab1.,", max_size=4), min_size=1, max_size=30))
def test_every_column_is_taken_or_left_out_never_both(cells: list[str]) -> None:
    people = [f"x{number}" for number in range(len(cells))]
    text = "person\tsome\n" + "\n".join(f"{person}\t{cell}" for person, cell in zip(people, cells, strict=True))

    sheet = read(text, people=people)

    assert sorted([*taken(sheet), *(name for name, _ in sheet.left_out)]) == ["some"]


def test_of_the_shared_clinical_table_no_column_that_names_people_is_taken(shared_data: Path) -> None:
    labels = (shared_data / "cohort/populations.tsv").read_text().splitlines()[1:]
    with (shared_data / "cohort/clinical_uk1.tsv").open("rb") as file:
        sheet = read_phenotypes(file, samples=[line.split("\t")[0] for line in labels])

    left_out = dict(sheet.left_out)
    assert {"eid", "Accession", "Sample name", "EGA sample id", "Home location - east co-ordinate-0.0"} <= set(left_out)
    assert left_out["Age at death-0.0"] == "no value"
    assert {"Standing height-0.0", "Sex", "Ethnic background-0.0"} <= set(taken(sheet))
    assert (len(taken(sheet)), len(left_out)) == (48, 31)
