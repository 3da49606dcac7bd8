"""A panel of a list of sites: exactly those that it names, or a refusal that says where."""

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genome.vcf_text import refused, source, vcf
from nebula.genome.building import build_panel
from nebula.genome.inflate import Limits, Source
from nebula.genome.panel import Panel, Site
from nebula.genome.reference import WholeReference
from nebula.genome.site_list import build_listed_panel, looks_like_site_list

LONG = "ACGTACGTACGTACGT"
REFERENCE = WholeReference({"chr1": b"GGGCACacACAGGG"})


def listed(*lines: str, header: str = "chrom pos ref alt id", end: str = "\n") -> bytes:
    """A list, written with blanks where tabs belong."""
    return end.join([header, *lines, ""]).replace(" ", "\t").encode()


def panel(raw: bytes, assembly: str | None = "GRCh38", reference: WholeReference | None = None) -> Panel:
    return build_listed_panel(
        source(raw, "sites", "sites.tsv"), name="p", version="1", assembly=assembly, reference=reference
    )


def test_a_list_and_a_vcf_of_the_same_sites_are_the_same_panel() -> None:
    raw = listed("X 5 G T rs4", f"1 20 A {LONG} .", "chr1 10 A C rs1", "1 15 AT A rs2")
    records = ("1 10 rs1 A C . . . GT 0/0", "1 15 rs2 AT A . . . GT 0/0", f"1 20 . A {LONG} . . . GT 0/0")
    of_vcf = build_panel(source(vcf(*records, "X 5 rs4 G T . . . GT 0/0")), name="p", version="1", assembly="GRCh38")

    assert panel(raw).panel_id == of_vcf.panel_id
    assert panel(raw.replace(b"\n", b"\r\n").removesuffix(b"\r\n")).panel_id == of_vcf.panel_id
    assert panel(b"##a remark\n#" + raw).panel_id == of_vcf.panel_id


def test_columns_are_found_by_their_names() -> None:
    assert panel(listed("rs1 C A 10 1", header="ID ALT REF POS #CHROM".replace("#", ""))).site(0) == Site(
        "1", 10, "A", "C"
    )


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("Z 10 A C .", "chromosome", "line 2, chrom: 'Z' is none of 1 to 22"),
        ("1 0 A C .", "position", "line 2, pos: '0' is not a number from 1 to 248,956,422"),
        ("1 010 A C .", "position", "line 2, pos"),
        (f"1 {'9' * 4_400} A C .", "position", "line 2, pos"),
        ("1 1e6 A C .", "position", "line 2, pos"),
        ("Y 57227416 A C .", "position", "line 2, pos"),
        ("1 10 a C .", "allele", "line 2, ref: 'a' is no sequence"),
        ("1 10 A <DEL> .", "allele", "line 2, alt: '<DEL>' is no sequence"),
        ("1 10 A C,G .", "allele", "line 2, alt: 'C,G' is no sequence"),
        ("1 10 A A .", "allele", "line 2, alt: it is REF, A, again"),
        ("1 10 AT AC .", "not-normalised", "line 2, ref, alt: AT and AC are not trimmed"),
        ("1 10 TA CA .", "not-normalised", "line 2, ref, alt"),
        ("1 10 ACA A .", "not-normalised", "line 2, ref, alt"),
        ("1 10 A C", "columns", "line 2: there are 4 columns where line 1 names 5"),
        ("1 10 A C . .", "columns", "line 2: there are 6 columns"),
        ("", "columns", "line 2: there are 1 columns"),
    ],
)
def test_a_bad_line_is_refused_with_file_line_and_column(line: str, code: str, said: str) -> None:
    error = refused(lambda: panel(listed(line)))
    assert error is not None
    assert error.code == f"sites.{code}"
    assert error.message.startswith(f"sites.tsv: {said}")


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "empty"),
        (listed(), "none"),
        (listed("1 10 A C", header="chrom pos ref"), "columns"),
        (listed("1 10 A C C", header="chrom pos ref alt ALT"), "columns"),
        (listed("1 10 A C .", "1 10 A C ."), "duplicate"),
        (listed("1 10 A C .", "chr1 10 A C x"), "duplicate"),
        (listed("1 10 A C .").replace(b"A", b"\xff"), "text"),
    ],
)
def test_a_bad_list_is_refused(raw: bytes, code: str) -> None:
    error = refused(lambda: panel(raw))
    assert error is not None
    assert error.code == f"sites.{code}"


def test_the_columns_are_those_of_the_line_that_names_them() -> None:
    error = refused(lambda: panel(b"##a remark\n##another\n" + listed("1 10 A C")))
    assert error is not None
    assert "line 4: there are 4 columns where line 3 names 5" in error.message


def test_a_line_longer_than_any_site_is_not_waited_for() -> None:
    raw = listed(f"1 10 A {'C' * 600_000} .")
    endless = Source(BytesIO(raw), "sites.tsv", "sites", Limits(line_bytes=1000))
    error = refused(lambda: build_listed_panel(endless, name="p", version="1", assembly="GRCh38"))
    assert error is not None
    assert error.code == "sites.line"


@pytest.mark.parametrize("assembly", [None, "hg19"])
def test_an_assembly_must_be_named(assembly: str | None) -> None:
    error = refused(lambda: panel(listed("1 10 A C ."), assembly=assembly))
    assert error is not None
    assert error.code == "sites.wrong-assembly"
    assert "--assembly" in (error.hint or "")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("1 5 A C .", None),
        ("1 7 AC A .", None),
        ("1 5 C A .", "line 2, ref: REF is C, and the reference genome has A at 5"),
        ("1 14 GA G .", "line 2, ref: REF is GA, and the reference genome has G at 14"),
        ("1 15 G A .", "line 2, ref"),
        ("2 5 A C .", "line 2, chrom, pos: the reference genome has no chromosome 2"),
    ],
)
def test_each_ref_is_held_against_the_reference_genome(line: str, said: str | None) -> None:
    error = refused(lambda: panel(listed(line), reference=REFERENCE))
    assert (error is None) is (said is None)
    if error is not None:
        assert error.code == "sites.reference"
        assert error.message.startswith(f"sites.tsv: {said}")


def test_what_begins_as_a_vcf_is_none() -> None:
    assert looks_like_site_list(listed())
    assert looks_like_site_list(b"##remark\n#CHROM\tPOS\tID\tREF\tALT\n")
    assert not looks_like_site_list(vcf("1 10 . A C . . . GT 0/0"))
    assert looks_like_site_list(b"chr\tpos\tref\talt\n")  # which is then told the column that it lacks
    assert not looks_like_site_list(b"rsid\tchromosome\tposition\tgenotype\n")
    assert not looks_like_site_list(b"")


@given(st.binary(max_size=200))
def test_any_bytes_are_a_panel_or_refused(tail: bytes) -> None:
    raw = listed("1 10 A C .") + tail
    assert refused(lambda: panel(raw)) is not None or panel(raw).sites >= 1
