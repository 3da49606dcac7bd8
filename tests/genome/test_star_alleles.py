"""Star alleles are told where the record says all of an allele's variants, and never guessed."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genome.vcf_text import refused, source, vcf
from nebula.genome.importing import import_genomes
from nebula.genome.keys import variant_key
from nebula.genome.panel import Panel, Site
from nebula.genome.record.person import PersonalCalls
from nebula.genome.star_alleles import StarAllele, call_star_alleles, read_star_alleles

HEAD = (
    "#version=made-up-1\nHaplotype Name\tGene\trsID\tReferenceSequence\tVariant Start\tVariant Stop\t"
    "Reference Allele\tVariant Allele\tType\n"
)


def row(name: str, place: int = 0, change: str = "A>G", gene: str = "GENE", sequence: str = "NC_000010.11") -> str:
    reference, variant = change.split(">")
    told = ("rs1", sequence, place, place, reference, variant, "substitution")
    cells = told if place else ("", "REFERENCE", ".", "", "", "", "")
    return "\t".join(map(str, (f"{gene}{name}", gene, *cells))) + "\n"


TABLE = (
    HEAD
    + row("*1")
    + row("*1.001")
    + row("*2", 20)
    + row("*2.001", 20)
    + row("*2.001", 900)
    + row("*3", 30, "C>T")
    + row("*4", 20)
    + row("*4", 30, "C>T")
    + row("*5", 40)
    + row("*6", 50, "AG>-")
)


def alleles(raw: str) -> tuple[StarAllele, ...]:
    return read_star_alleles(source(raw.encode(), "star-alleles", "table.tsv"))[1]


def person(*records: str) -> PersonalCalls:
    panel = Panel("p", "1", "GRCh38", [variant_key("10", 20, "A", "G")])
    (genome,) = import_genomes(source(vcf(*records), "genome"), panel)
    return PersonalCalls.of(genome.parquet, "GRCh38")


def test_a_table_has_its_alleles_without_suballeles_and_says_its_assembly() -> None:
    build, found = read_star_alleles(source(TABLE.encode(), "star-alleles"))
    assert build == "GRCh38"
    assert [(one.name, len(one.sites), one.told) for one in found] == [
        ("*1", 0, True),
        ("*2", 1, True),
        ("*3", 1, True),
        ("*4", 2, True),
        ("*5", 1, True),
        ("*6", 0, False),
    ]
    old = TABLE.replace("NC_000010.11", "NC_000010.10")
    assert read_star_alleles(source(old.encode(), "star-alleles"))[0] == "GRCh37"


@pytest.mark.parametrize(
    ("twenty", "thirty", "fits"),
    [
        ("0/0", "0/0", ["*1/*1"]),
        ("0/1", "0/0", ["*1/*2"]),
        ("1/1", "0/0", ["*2/*2"]),
        ("0/1", "0/1", ["*1/*4", "*2/*3"]),
        ("1/1", "0/1", ["*2/*4"]),
        ("1/1", "1/1", ["*4/*4"]),
    ],
)
def test_all_pairs_that_fit_are_told_and_none_else(twenty: str, thirty: str, fits: list[str]) -> None:
    calls = person(f"10 20 . A G . . . GT {twenty}", f"10 30 . C T . . . GT {thirty}")
    (found,) = call_star_alleles(alleles(TABLE), calls)
    assert list(found.fits) == fits
    assert found.looked_for == ("*1", "*2", "*3", "*4")
    assert found.not_looked_for == ("*5", "*6")


def test_what_the_record_does_not_say_is_not_looked_for() -> None:
    (found,) = call_star_alleles(alleles(TABLE), person("10 20 . A G . . . GT 0/1", "10 30 . C T . . . GT ./."))
    assert (found.fits, found.looked_for) == (("*1/*2",), ("*1", "*2"))
    (nothing,) = call_star_alleles(alleles(TABLE), person("10 25 . A G . . . GT 0/1"))
    assert (nothing.fits, nothing.looked_for) == ((), ())


def test_an_allele_that_is_not_in_the_table_makes_nothing_fit() -> None:
    alone = HEAD + row("*1") + row("*2", 20) + row("*2", 30, "C>T")
    (found,) = call_star_alleles(alleles(alone), person("10 20 . A G . . . GT 0/1", "10 30 . C T . . . GT 0/0"))
    assert (found.fits, found.looked_for) == ((), ("*1", "*2"))


def test_where_a_man_has_one_copy_one_allele_is_told() -> None:
    table = (HEAD + row("*1") + row("*2", 153_000_000)).replace("NC_000010.11", "NC_000023.11")
    (found,) = call_star_alleles(alleles(table), person("X 153000000 . A G . . . GT 1"))
    assert found.fits == ("*2",)


def test_genes_are_told_by_name() -> None:
    both = TABLE + row("*1", gene="ALSO") + row("*7", 60, gene="ALSO")
    assert [one.gene for one in call_star_alleles(alleles(both), person("10 60 . A G . . . GT 0/1"))] == [
        "ALSO",
        "GENE",
    ]


@pytest.mark.parametrize(
    ("raw", "code", "place"),
    [
        ("", "empty", ""),
        (HEAD, "empty", "no variant"),
        (HEAD + row("*1"), "empty", "no variant"),
        ("a\tb\n", "columns", "line 1"),
        (HEAD + "GENE*2\tGENE\n", "row", "line 3: 2 cells"),
        (HEAD + row("", 20, gene=""), "row", "line 3, gene"),
        (HEAD + row("*2", 20, sequence="NG_008376.4"), "sequence", "line 3, ReferenceSequence"),
        (HEAD + row("*2", 999_999_999), "position", "line 3, pos"),
        (HEAD + row("*2", 20, "A>A"), "allele", "line 3, alt"),
        (TABLE + row("*7", 20, sequence="NC_000010.10"), "build", "both GRCh37 and GRCh38"),
    ],
)
def test_a_table_that_is_none_is_refused_with_its_line(raw: str, code: str, place: str) -> None:
    error = refused(lambda: alleles(raw))
    assert error.code == f"star-alleles.{code}"
    assert place in error.message


SITES = [Site("10", place, "A", "G") for place in (20, 30, 40)]


@given(
    has=st.lists(st.frozensets(st.sampled_from(SITES)), min_size=1, max_size=5, unique=True),
    chosen=st.tuples(st.integers(0, 4), st.integers(0, 4)),
)
def test_a_person_made_of_two_alleles_fits_these_and_what_is_as_many_copies(
    has: list[frozenset[Site]], chosen: tuple[int, int]
) -> None:
    table = [StarAllele("GENE", f"*{number}", sites, told=True) for number, sites in enumerate(has, start=1)]
    one, other = (has[index % len(has)] for index in chosen)
    copies = {site: (site in one) + (site in other) for site in SITES}
    calls = person(
        *(f"10 {site.pos} . A G . . . GT {('0/0', '0/1', '1/1')[number]}" for site, number in copies.items())
    )
    (found,) = call_star_alleles(table, calls)
    met = frozenset[Site]().union(*has)
    expected = {
        f"*{first + 1}/*{second + 1}"
        for first, second in itertools.combinations_with_replacement(range(len(has)), 2)
        if met and all((site in has[first]) + (site in has[second]) == copies[site] for site in met)
    }
    assert set(found.fits) == expected
    assert len(found.fits) == len(expected)
