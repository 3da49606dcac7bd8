"""Tables of what alleles mean are read strictly, and unknown is never taken for the usual allele."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genome.vcf_text import refused, source, vcf
from nebula.genome.importing import import_genomes
from nebula.genome.keys import variant_key
from nebula.genome.meanings import look_up, read_meanings
from nebula.genome.panel import Panel, Site
from nebula.genome.record.person import Copies, PersonalCalls

HEAD = "#build=GRCh38\nchrom\tpos\tref\talt\tallele\tmeaning\n"
ROW = "1\t10\tA\tG\tG\tmeans something\n"


def table(raw: str) -> object:
    return read_meanings(source(raw.encode(), "meanings", "table.tsv"))


def person(*records: str) -> PersonalCalls:
    panel = Panel("p", "1", "GRCh38", [variant_key("1", 10, "A", "G")])
    (genome,) = import_genomes(source(vcf(*records), "genome"), panel)
    return PersonalCalls.of(genome.parquet)


@pytest.mark.parametrize(
    ("record", "of_g", "of_a"),
    [
        ("1 10 . A G . . . GT 0/1", 1, 1),
        ("1 10 . A G . . . GT 1/1", 2, 0),
        ("1 10 . A G . PASS . GT 0|0", 0, 2),
        ("1 10 . A G . . . GT 1", 1, 0),
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


def test_a_place_is_found_whatever_else_stands_there() -> None:
    calls = person("1 10 . A C . . . GT 0/1", "1 10 . A G . . . GT 1/1", "1 10 . AT A . . . GT 0/1")
    assert calls.at(Site("1", 10, "A", "G")) == Copies(2, 2)
    assert calls.at(Site("1", 10, "AT", "A")) == Copies(1, 2)
    assert calls.at(Site("X", 10, "A", "G")) is None


@pytest.mark.parametrize(
    ("raw", "code", "place"),
    [
        (HEAD, "empty", "no row"),
        (HEAD.replace("#build=GRCh38\n", "") + ROW, "build", "assembly"),
        (HEAD.replace("meaning", "says") + ROW, "columns", "line 2"),
        (HEAD.replace("allele\t", "allele\tcolour\t") + ROW, "columns", "'colour'"),
        (HEAD + "1\t10\tA\n", "row", "line 3, columns"),
        (HEAD + ROW + ROW.replace("1\t", "Z\t", 1), "row", "line 4, chrom"),
        (HEAD + ROW.replace("10", "0"), "row", "line 3, pos"),
        (HEAD + ROW.replace("\tA\t", "\t<DEL>\t"), "row", "line 3, ref"),
        (HEAD + ROW.replace("\tA\tG\tG", "\tA\tA\tA"), "row", "line 3, alt"),
        (HEAD + ROW.replace("\tG\tG", "\tG\tC"), "row", "line 3, allele"),
        (HEAD + ROW.replace("means something", ""), "row", "line 3, meaning"),
    ],
)
def test_what_breaks_a_rule_is_refused_with_its_line_column_and_rule(raw: str, code: str, place: str) -> None:
    error = refused(lambda: table(raw))
    assert error is not None
    assert error.code == f"meanings.{code}"
    assert place in error.message
    assert error.hint


@given(st.text(max_size=80), st.binary(max_size=40))
def test_any_text_is_a_table_or_refused(text: str, raw: bytes) -> None:
    refused(lambda: table(HEAD + ROW + text))
    refused(lambda: read_meanings(source(raw, "meanings")))
