"""Tables of what alleles mean are read strictly, and unknown is never taken for the usual allele."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genome.vcf_text import refused, source, vcf
from nebula.genome.importing import import_genomes
from nebula.genome.keys import variant_key
from nebula.genome.meanings import look_up, read_meanings
from nebula.genome.panel import Panel, Site
from nebula.genome.record.person import PersonalCalls

HEAD = "#build=GRCh38\nchrom\tpos\tref\talt\tallele\tmeaning\n"
ROW = "1\t10\tA\tG\tG\tmeans something\n"


def table(raw: str) -> object:
    return read_meanings(source(raw.encode(), "meanings", "table.tsv"))


def person(*records: str) -> PersonalCalls:
    panel = Panel("p", "1", "GRCh38", [variant_key("1", 10, "A", "G")])
    (genome,) = import_genomes(source(vcf(*records), "genome"), panel)
    return PersonalCalls.of(genome.parquet, "GRCh38")


@pytest.mark.parametrize(
    ("record", "of_g", "of_a"),
    [
        ("1 10 . A G . . . GT 0/1", 1, 1),
        ("1 10 . A G . . . GT 1/1", 2, 0),
        ("1 10 . A G . PASS . GT 0|0", 0, 2),
        ("1 10 . A G . . . GT 1", 1, 0),
        ("1 10 . A C,G . . . GT 1/2", 1, 0),
        ("1 10 . A C,G . . . GT 0/1", 0, 1),
        ("1 10 . A G . . . GT ./.", None, None),
        ("1 10 . A G . LowQual . GT 0/1", None, None),
        ("1 10 . A T . . . GT 0/1", None, None),
        ("1 12 . A G . . . GT 0/1", None, None),
        ("1 8 . A <NON_REF> . . END=12 GT 0/0", 0, 2),
        ("1 8 . A <NON_REF> . . END=9 GT 0/0", None, None),
    ],
)
def test_copies_are_those_of_the_allele_that_is_meant_and_unknown_is_not_none(
    record: str, of_g: int | None, of_a: int | None
) -> None:
    _, rows = read_meanings(source((HEAD + ROW + ROW.replace("\tG\tG", "\tG\tA")).encode(), "meanings"))
    found = look_up(rows, person(record, "2 5 . C T . . . GT 0/1"))
    assert [one.copies for one in found] == [of_g, of_a]


@pytest.mark.parametrize(
    ("raw", "code", "place"),
    [
        (HEAD, "empty", "no row"),
        (HEAD.replace("#build=GRCh38\n", "") + ROW, "build", "line 1: no comment above it"),
        (HEAD.replace("#build=GRCh38", "# of GRCh38") + ROW, "build", "line 2: no comment above it"),
        (HEAD.replace("#build=GRCh38", "#build=T2T") + ROW, "build", "line 1: 'T2T'"),
        ("#build=GRCh37\n" + HEAD + ROW, "build", "line 2: it says GRCh38, and a line above says GRCh37"),
        (HEAD + ROW + "#build=hg19\n" + ROW, "build", "line 4: it says GRCh37"),
        (HEAD.replace("meaning", "says") + ROW, "columns", "line 2"),
        (HEAD.replace("allele\t", "allele\tcolour\t") + ROW, "columns", "'colour'"),
        (HEAD + "1\t10\tA\n", "row", "line 3: 3 cells"),
        (HEAD + ROW + ROW.replace("1\t", "Z\t", 1), "chromosome", "line 4, chrom"),
        (HEAD + ROW.replace("10", "0"), "position", "line 3, pos"),
        (HEAD + ROW.replace("10", "0" * 11 + "1" + "9" * 20), "position", "line 3, pos"),
        (HEAD + ROW.replace("10", "0" * 11 + "1" + "9" * 4_400), "position", "line 3, pos"),
        (HEAD + ROW.replace("10", "248956423"), "position", "1 of GRCh38 ends"),
        (HEAD + ROW.replace("\tA\t", "\t<DEL>\t"), "allele", "line 3, ref"),
        (HEAD + ROW.replace("\tA\tG\tG", "\tA\tA\tA"), "allele", "line 3, alt"),
        (HEAD + ROW.replace("\tA\tG\tG", "\tAT\tGT\tGT"), "not-normalised", "line 3, ref, alt"),
        (HEAD + ROW.replace("\tG\tG", "\tG\tC"), "row", "line 3, allele"),
        (HEAD + ROW.replace("means something", ""), "row", "line 3, meaning"),
    ],
)
def test_what_breaks_a_rule_is_refused_with_its_line_column_and_rule(raw: str, code: str, place: str) -> None:
    error = refused(lambda: table(raw))
    assert error is not None
    assert error.code == f"meanings.{code}"
    assert place in error.message


def test_what_else_a_comment_names_is_not_the_assembly() -> None:
    build, rows = read_meanings(
        source(f"# lifted from hg19\n{HEAD}{ROW}# rs6025: see hg19\n{ROW}".encode(), "meanings")
    )
    assert (build, len(rows)) == ("GRCh38", 2)


def test_a_table_is_read_as_editors_save_it() -> None:
    raw = (HEAD + ROW.replace("1\t", "chrM\t", 1).replace("\tA\tG\tG", "\ta\tg\tg")).replace("\n", "\r\n")
    _, (row,) = read_meanings(source(gzip.compress(b"\xef\xbb\xbf" + raw.encode()), "meanings"))
    assert (row.site, row.allele) == (Site("MT", 10, "A", "G"), "G")


@given(st.text(max_size=80), st.binary(max_size=40))
def test_any_text_is_a_table_or_refused(text: str, raw: bytes) -> None:
    refused(lambda: table(HEAD + ROW + text))
    refused(lambda: table(HEAD + ROW.replace("10", text)))
    refused(lambda: read_meanings(source(raw, "meanings")))
