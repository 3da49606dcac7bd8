import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nebula.analysis.region_file import parse_regions
from nebula.protocol.errors import RejectedInputError


def test_bed_counts_from_zero_and_leaves_the_end_out() -> None:
    text = "#chrom\tstart\tend\tname\ntrack name=x\n"
    text += "chr17\t43044294\t43125364\tBRCA1\t0\t-\n13\t32315085\t32400268\tBRCA2\n"
    assert parse_regions(text) == ("BRCA1=17:43044295-43125364", "BRCA2=13:32315086-32400268")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "regions.empty"),
        ("chr1\t5\t9\n", "regions.columns"),
        ("chrX\t5\t9\tA\n", "regions.chromosome"),
        ("chr1\t5\t9\tA B\n", "regions.name"),
        ("chr1\t-5\t9\tA\n", "regions.position"),
        ("chr1\t9\t9\tA\n", "regions.position"),
        ("chr1\t9\t999999999\tA\n", "regions.position"),
        (f"chr1\t{'9' * 5000}\t9\tA\n", "regions.position"),
    ],
)
def test_a_line_that_is_no_region_is_refused_by_its_number(text: str, code: str) -> None:
    with pytest.raises(RejectedInputError) as refusal:
        parse_regions("chr2\t1\t2\tOK\n" * bool(text) + text)
    assert refusal.value.code == code
    assert code == "regions.empty" or refusal.value.message.startswith("line 2:")


@given(st.text(alphabet="chr12X\t\n059.#aA-", max_size=120))
def test_any_text_is_regions_or_is_refused(text: str) -> None:
    with contextlib.suppress(RejectedInputError):
        assert all("=" in region for region in parse_regions(text))
