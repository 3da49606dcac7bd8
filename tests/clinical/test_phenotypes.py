import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genome.vcf_text import refused
from nebula.clinical.phenotypes import MAX_COLUMNS, Phenotype, PhenotypeTable, parse_phenotypes
from nebula.clinical.tsv import PhenotypeSheet, read_phenotypes

TABLE = "who\tage\theight\tcity\nA\t40\t170.5\tRome\nB\t#REF!\ttall\t\nC\t50\t1e2\tOslo\n" + "".join(
    f"D{index}\t1\t2\tX\n" for index in range(20)
)


def read(text: str, samples: list[str] | None = None) -> PhenotypeSheet:
    people = samples or [line.split("\t")[0] for line in text.splitlines()[1:]]
    return read_phenotypes(io.BytesIO(text.encode()), samples=people, units={"height": "cm"})


def test_numbers_have_units_and_categories_have_none() -> None:
    table = read(TABLE).tables["A"]
    assert (table.number("height"), table.category("city"), table.number("absent")) == (170.5, "Rome", None)
    assert [phenotype.unit for phenotype in table.phenotypes] == [None, None, "cm"]


def test_what_is_no_value_or_no_number_is_missing_and_reported() -> None:
    sheet = read(TABLE)
    assert [sheet.tables["B"].number(name) for name in ("age", "height")] == [None, None]
    reports = {column.name: column for column in sheet.columns}
    assert (reports["age"].missing, reports["age"].unreadable) == (1, 0)
    assert (reports["height"].unreadable, reports["height"].first_unreadable_line) == (1, 3)
    assert reports["city"].kind == "category"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty"),
        ("who\twho\nA\tB\n", "columns"),
        ("who\tage\nA\n", "columns"),
        ("who\tage\nA\t1\nA\t2\n", "duplicate-sample"),
    ],
)
def test_a_table_that_is_none_is_refused(text: str, code: str) -> None:
    error = refused(lambda: read(text, ["A"]))
    assert error is not None
    assert error.code == f"phenotypes.{code}"


def test_a_table_about_other_people_is_refused() -> None:
    error = refused(lambda: read(TABLE, ["Z"]))
    assert error is not None
    assert error.code == "phenotypes.no-samples"


def test_a_table_survives_its_canonical_form() -> None:
    table = read(TABLE).tables["C"]
    assert parse_phenotypes(table.to_bytes()) == table


@given(st.binary(max_size=100))
def test_any_bytes_are_a_table_or_refused(raw: bytes) -> None:
    refused(lambda: parse_phenotypes(raw))


@pytest.mark.parametrize(
    "bad",
    [
        Phenotype(name="x", kind="number", category="a"),
        Phenotype(name="x", kind="category", number=1.0),
        Phenotype(name="x", kind="category", category="a", unit="cm"),
        Phenotype(name="x", kind="number", number=1e308),
        Phenotype(name="x", kind="number", number=-1.1e30),
        Phenotype(name="x\x1b[2J", kind="number", number=1.0),
        Phenotype(name="x\u202e", kind="number", number=1.0),
        Phenotype(name="x", kind="number", number=1.0, unit="c\nm"),
        Phenotype(name="x", kind="category", category="a\x00"),
        Phenotype(name="x", kind="category", category="a\x7f"),
        Phenotype(name="x", kind="category", category="a\\\x7f"),
    ],
)
def test_a_phenotype_is_what_its_kind_says(bad: Phenotype) -> None:
    error = refused(lambda: parse_phenotypes(PhenotypeTable(phenotypes=(bad,)).to_bytes()))
    assert error is not None
    assert error.code == "phenotypes.malformed"


@pytest.mark.parametrize("number", ["1.8e308", "1e400", "-1e999999", "NaN", "Infinity"])
def test_a_number_that_no_double_holds_is_refused(number: str) -> None:
    raw = b'{"schema":1,"phenotypes":[{"name":"x","kind":"number","unit":null,"number":' + number.encode()
    error = refused(lambda: parse_phenotypes(raw + b',"category":null}]}'))
    assert error is not None
    assert error.code == "phenotypes.malformed"


def test_more_columns_than_a_table_may_have_are_refused_in_both_forms() -> None:
    many = tuple(Phenotype(name=f"{n:05d}", kind="number") for n in range(MAX_COLUMNS + 1))
    error = refused(lambda: parse_phenotypes(PhenotypeTable(phenotypes=many).to_bytes()))
    assert error is not None
    header = "\t".join(["who", *(f"c{n}" for n in range(10**6))])
    error = refused(lambda: read(f"{header}\nA\n", ["A"]))
    assert error is not None
    assert "1,000,001 columns" in str(error)


@pytest.mark.parametrize("name", ["x" * 201, "a\x1b[31mb", "a\u202eb", "a\x07"])
def test_a_columns_name_can_be_read_and_is_not_absurd(name: str) -> None:
    error = refused(lambda: read(f"who\t{name}\nA\t1\n", ["A"]))
    assert error is not None
    assert "line 1: the name of column 2" in str(error)


def test_an_absurd_value_in_a_table_is_unreadable_and_not_kept() -> None:
    sheet = read(
        "who\tage\tcity\nA\t1.8e308\tRo\x07me\nB\t1e31\tOslo\nC\t40\tRome\n"
        + "".join(f"D{n}\t1\tX\n" for n in range(20))
    )
    assert [sheet.tables[person].number("age") for person in "ABC"] == [None, None, 40.0]
    assert [sheet.tables[person].category("city") for person in "AB"] == [None, "Oslo"]
    assert {report.name: report.unreadable for report in sheet.columns} == {"age": 2, "city": 1}


def test_spaces_around_the_json_are_not_canonical() -> None:
    error = refused(lambda: parse_phenotypes(read(TABLE).tables["A"].to_bytes() + b" "))
    assert error is not None
    assert error.code == "phenotypes.malformed"


def test_the_shared_clinical_table_is_keyed_on_the_cohorts_names(shared_data: Path) -> None:
    labels = (shared_data / "cohort/populations.tsv").read_text().splitlines()[1:]
    samples = [line.split("\t")[0] for line in labels]
    with (shared_data / "cohort/clinical_uk1.tsv").open("rb") as file:
        sheet = read_phenotypes(file, samples=samples, units={"Standing height-0.0": "cm"})
    assert sheet.sample_column == "Subject id"
    assert len(sheet.tables) == 2504
    assert sheet.tables["HG00096"].number("Standing height-0.0") == pytest.approx(179.2973)
    reports = {column.name: column for column in sheet.columns}
    assert reports["Standing height-0.0"].values == 2504
