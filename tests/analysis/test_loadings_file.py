import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nebula.analysis.loadings_file import parse_loadings
from nebula.analysis.parameters import parse_parameters
from nebula.analysis.projection_parameters import Projection
from nebula.protocol.errors import RejectedInputError

HEADER = "chromosome\tbase_pair_location\teffect_allele\tother_allele\teffect_allele_frequency\tPC1\tPC2\n"
ROW = "1\t100\tA\tC\t0.25\t0.5\t-1e-3\n"


def test_a_table_becomes_the_terms_of_a_study_whatever_the_order_of_its_columns() -> None:
    turned = "PC2\tchromosome\tother_allele\tbase_pair_location\tID\tPC1\teffect_allele\teffect_allele_frequency\n"
    turned += "-0.001\tchr1\tC\t100\trs1\t0.5\tA\t0.25\n"
    found = parse_loadings("#genome_assembly=GRCh38\n" + HEADER + ROW)
    assert (found.build, found.rows) == ("GRCh38", ("1:100:A:C:0.250000:0.5,-0.001",))
    assert parse_loadings(turned).rows == found.rows
    terms = {"reference": "R", "build": "GRCh38", "rows": list(found.rows), "grid_step": 1.0}
    parameters = parse_parameters("pca-projection@1", terms)
    assert isinstance(parameters, Projection)
    assert parameters.loadings == ((0.5, -0.001),)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty"),
        (HEADER, "empty"),
        ("#genome_assembly=hg18\n" + HEADER + ROW, "build"),
        (HEADER.replace("other_allele", "REF") + ROW, "columns"),
        (HEADER.replace("PC2", "PC1") + ROW, "columns"),
        (HEADER.replace("PC2", "PC3") + ROW, "columns"),
        (HEADER.replace("\tPC2", "") + "1\t100\tA\tC\t0.25\t0.5\n", "columns"),
        (HEADER + ROW.replace("\t0.5", ""), "columns"),
        (HEADER + ROW.replace("1\t", "X\t", 1), "chromosome"),
        (HEADER + ROW.replace("100", "0"), "position"),
        (HEADER + ROW.replace("100", "9" * 5000), "position"),
        (HEADER + ROW.replace("C", "A"), "allele"),
        (HEADER + ROW.replace("C", "<DEL>"), "allele"),
        (HEADER + ROW.replace("0.25", "1"), "frequency"),
        (HEADER + ROW.replace("0.25", "1e-9"), "frequency"),
        (HEADER + ROW.replace("0.5", "nan"), "number"),
        (HEADER + ROW.replace("0.5", "1e7"), "number"),
    ],
)
def test_what_is_no_table_of_loadings_is_refused(text: str, code: str) -> None:
    with pytest.raises(RejectedInputError) as refusal:
        parse_loadings(text)
    assert refusal.value.code == f"loadings.{code}"
    assert code in {"empty", "build"} or refusal.value.message.startswith("line ")


numbers = st.floats(-1e6, 1e6).map(repr) | st.text(alphabet="0123456789.-e", min_size=1, max_size=9)
frequencies = st.floats(0, 1).map(repr)


@given(st.lists(st.tuples(frequencies, numbers, numbers), max_size=5))
def test_what_is_read_is_what_a_study_takes(values: list[tuple[str, str, str]]) -> None:
    lines = (f"1\t{100 + index}\tA\tC\t{row[0]}\t{row[1]}\t{row[2]}\n" for index, row in enumerate(values))
    try:
        rows = parse_loadings(HEADER + "".join(lines)).rows
    except RejectedInputError:
        return
    terms = {"reference": "R", "build": "GRCh38", "rows": list(rows), "grid_step": 1.0}
    assert parse_parameters("pca-projection@1", terms)


@given(st.text(alphabet="#=\t\nAC1.5e-", max_size=200))
def test_any_text_is_loadings_or_is_refused(text: str) -> None:
    with contextlib.suppress(RejectedInputError):
        parse_loadings(HEADER + text)
