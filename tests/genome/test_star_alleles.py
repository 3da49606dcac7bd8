"""Star alleles are told where the record says all of an allele's variants, and never guessed."""

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
    + row("*1.002", 900)
    + row("*2", 20)
    + row("*2.001", 20)
    + row("*2.001", 900)
    + row("*3", 30, "C>T")
    + row("*4", 20)
    + row("*4", 30, "C>T")
    + row("*5", 40)
    + row("*6", 50, "AG>-")
    + row("*7", 20)
    + row("*7", 60, "AG>TC")
    + row("*8")
)


def alleles(raw: str) -> tuple[StarAllele, ...]:
    return read_star_alleles(source(raw.encode(), "star-alleles", "table.tsv"))


def person(*records: str) -> PersonalCalls:
    panel = Panel("p", "1", "GRCh38", [variant_key("10", 20, "A", "G")])
    (genome,) = import_genomes(source(vcf(*records), "genome"), panel)
    return PersonalCalls.of(genome.parquet, "GRCh38")


def test_a_table_has_core_alleles_and_what_their_suballeles_have_besides() -> None:
    found = {one.name: (len(one.sites), len(one.further), one.complete) for one in alleles(TABLE)}
    assert found == {
        "*1": (0, 1, True),
        "*2": (1, 1, True),
        "*3": (1, 0, True),
        "*4": (2, 0, True),
        "*5": (1, 0, True),
        "*6": (0, 0, False),
        "*7": (1, 0, False),
        "*8": (0, 0, False),  # a gene that is missing
    }


def test_of_a_table_of_suballeles_alone_what_all_have_is_the_core() -> None:
    (found,) = alleles(HEAD + row("rs1.1", 20) + row("rs1.2", 20) + row("rs1.2", 30, "C>T"))
    assert (found.name, len(found.sites), len(found.further)) == ("rs1", 1, 1)


@pytest.mark.parametrize(
    ("twenty", "thirty", "fits"),
    [
        ("0/0", "0/0", ["*1/*1"]),
        ("0/1", "0/0", ["*1/*2"]),
        ("1/1", "0/0", ["*2/*2"]),
        ("0/1", "0/1", ["*1/*4", "*2/*3"]),
        ("0|1", "1|0", ["*1/*4", "*2/*3"]),
        ("1/1", "0/1", ["*2/*4"]),
        ("1/1", "1/1", ["*4/*4"]),
    ],
)
def test_all_diplotypes_that_fit_are_told_and_none_else(twenty: str, thirty: str, fits: list[str]) -> None:
    calls = person(f"10 20 . A G . . . GT {twenty}", f"10 30 . C T . . . GT {thirty}")
    (found,) = call_star_alleles(alleles(TABLE), calls)
    assert list(found.diplotypes) == fits
    assert found.looked_for == ("*1", "*2", "*3", "*4")
    assert found.not_looked_for == ("*5", "*6", "*7", "*8")


def test_a_suballele_may_have_what_defines_another_allele() -> None:
    # As 100C>T of CYP2D6, which some *4 have, and all *10.
    table = HEAD + row("*1") + row("*1.001") + row("*4", 20) + row("*4.001", 20)
    table += row("*4.001", 30, "C>T") + row("*4.001", 40) + row("*10", 30, "C>T") + row("*10", 40)
    calls = person(*(f"10 {pos} . {change} . . . GT 0/1" for pos, change in ((20, "A G"), (30, "C T"), (40, "A G"))))
    (found,) = call_star_alleles(alleles(table), calls)
    assert found.diplotypes == ("*1/*4", "*4/*10")


def test_what_the_record_does_not_say_is_not_looked_for() -> None:
    (found,) = call_star_alleles(alleles(TABLE), person("10 20 . A G . . . GT 0/1", "10 30 . C T . . . GT ./."))
    assert (found.diplotypes, found.looked_for) == (("*1/*2",), ("*1", "*2"))
    (nothing,) = call_star_alleles(alleles(TABLE), person("10 25 . A G . . . GT 0/1"))
    assert (nothing.diplotypes, nothing.looked_for) == ((), ())
    # One copy of what comes in two lies in a deletion.
    (one,) = call_star_alleles(alleles(TABLE), person("10 20 . A G . . . GT 1", "10 30 . C T . . . GT 0/1"))
    assert one.looked_for == ("*1", "*3")


def test_an_allele_that_is_not_in_the_table_makes_nothing_fit() -> None:
    alone = HEAD + row("*1") + row("*1.001") + row("*2", 20) + row("*2", 30, "C>T")
    (found,) = call_star_alleles(alleles(alone), person("10 20 . A G . . . GT 0/1", "10 30 . C T . . . GT 0/0"))
    assert (found.diplotypes, found.looked_for) == ((), ("*1", "*2"))


def test_genes_are_told_by_name() -> None:
    both = TABLE + row("*1", gene="ALSO") + row("*7", 60, gene="ALSO")
    assert [one.gene for one in call_star_alleles(alleles(both), person("10 60 . A G . . . GT 0/1"))] == [
        "ALSO",
        "GENE",
    ]


def test_where_there_is_no_variant_either_column_may_say_so() -> None:
    raw = TABLE.replace("GENE\t\tREFERENCE\t.\t\t\t\t\n", "GENE\tREFERENCE\t.\t.\t.\t.\t.\t.\n")
    assert raw != TABLE
    assert alleles(raw) == alleles(TABLE.replace("REFERENCE\t.\t\t\t\t", "REFERENCE"))


@pytest.mark.parametrize(
    ("raw", "code", "place"),
    [
        ("", "empty", ""),
        (HEAD, "empty", "no variant"),
        (HEAD + row("*1"), "empty", "no variant"),
        ("a\tb\n", "columns", "line 1"),
        (HEAD + "GENE*2\tGENE\n", "sequence", "line 3, ReferenceSequence"),
        (HEAD + row("*2", 20).strip() + "\tx\n", "row", "line 3: 10 cells"),
        (HEAD + row("", 20, gene=""), "row", "line 3, gene"),
        (HEAD + row("*2", 20, sequence="NG_008376.4"), "sequence", "line 3, ReferenceSequence"),
        (HEAD + row("*2", 20, sequence="NC_000010.10"), "sequence", "no chromosome of GRCh38"),
        (HEAD + row("*2", 999_999_999), "position", "line 3, pos"),
        (HEAD + row("*2", 20, "A>A"), "allele", "line 3, alt"),
        (HEAD + row("*2", 20, "A>R"), "allele", "line 3, Variant Allele"),
        (HEAD + "".join(row(f"*{number}", 20) for number in range(501)), "too-long", "500 alleles"),
        (HEAD + "".join(row("*2", place) for place in range(1, 1_002)), "too-long", "1,000 variants"),
    ],
)
def test_a_table_that_is_none_is_refused_with_its_line(raw: str, code: str, place: str) -> None:
    error = refused(lambda: alleles(raw))
    assert error.code == f"star-alleles.{code}"
    assert place in error.message


SITES = [Site("10", place, "A", "G") for place in (20, 30, 40)]
HAPLOTYPES = st.tuples(st.frozensets(st.sampled_from(SITES)), st.frozensets(st.sampled_from(SITES)))


@given(table=st.lists(HAPLOTYPES, min_size=1, max_size=5), chosen=st.data())
def test_the_diplotype_of_a_person_is_always_among_those_that_fit(
    table: list[tuple[frozenset[Site], frozenset[Site]]], chosen: st.DataObject
) -> None:
    whole = [
        StarAllele("GENE", f"*{number}", sites, further - sites, complete=True)
        for number, (sites, further) in enumerate(table, start=1)
    ]
    one, other = sorted(chosen.draw(st.tuples(*[st.integers(0, len(whole) - 1)] * 2)))
    has = [
        whole[index].sites
        | chosen.draw(st.frozensets(st.sampled_from(sorted(whole[index].further) or SITES)))
        & (whole[index].sites | whole[index].further)
        for index in (one, other)
    ]
    copies = [sum(site in carried for carried in has) for site in SITES]
    genotypes = [("0/0", "0/1", "1/1")[number] for number in copies]
    calls = person(*(f"10 {site.pos} . A G . . . GT {one}" for site, one in zip(SITES, genotypes, strict=True)))
    (found,) = call_star_alleles(whole, calls)
    if any(allele.sites for allele in whole):
        assert f"*{one + 1}/*{other + 1}" in found.diplotypes
    assert len(set(found.diplotypes)) == len(found.diplotypes)
